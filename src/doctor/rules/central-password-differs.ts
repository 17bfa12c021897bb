import type { CentralFile } from "../evidence.ts";
import type { FindingDraft, Proof } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { tryingStore } from "../node/central-asked.ts";
import { deadStoreRefs } from "../node/central-symptoms.ts";
import { deadCentralNodes, type DeadCentral } from "../node/dead-central-names.ts";
import { startedLately } from "../node/started-lately.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import type { Rule } from "../rule.ts";
import type { Evident, View } from "../view.ts";

type Central = Evident<"central">;

/** The password of the files is a setting of each server, encrypted with a key of its own. */
export const centralPasswordDiffers: Rule = {
  code: "central-password-differs",
  title: "A node has another password for the certificate files than its peers",
  severity: "error",
  tier: "node",
  source: "https://learn.microsoft.com/en-us/powershell/module/webadministration/set-webcentralcertprovider",
  explains:
    "All files of a central store share one password, which each server keeps in its own registry, encrypted with a key of its own. Where it was mistyped or never renewed, " +
    "the server opens no file: it resets every handshake for central names, while its peers serve the same files well.",
  remedy:
    "IIS, on that server: `Set-WebCentralCertProvider -PrivateKeyPassword …`. The encrypted value cannot be copied from another server. certfarm: give the node the farm's password list.",
  check(view) {
    const nodes = tryingStore(view);
    if (nodes.length === 0) return withoutEvidence(view, "central");
    const read = nodes.flatMap((node) => readFindings(view, nodes, node));
    const told = new Set(read.flatMap(({ nodes: names }) => names));
    const dead = deadCentralNodes(view).filter(({ node }) => !told.has(node.node.name));
    return result([...read, ...dead.flatMap((node) => deadFinding(view, nodes, node))]);
  },
};

/** Files that this node cannot open, and others can. */
function readFindings(view: View, all: readonly Central[], node: Central): readonly FindingDraft[] {
  const closed = (node.part.files ?? []).filter(({ reading }) => reading?.status === "wrong-password");
  const openedBy = (file: CentralFile): readonly string[] => [
    ...all.filter((other) => other !== node && opens(other.part.files, file)).map((other) => other.node.name),
    ...(opens(view.examination.central?.files, file) ? ["the doctor"] : []),
  ];
  const differing = closed.filter((file) => openedBy(file).length > 0);
  const [first] = differing;
  if (first === undefined) return [];
  return [
    {
      ...words(node),
      proof: [
        {
          text: `${nameSome(differing.map(({ name }) => name))}: the password does not open ${differing.length === 1 ? "it" : "them"}`,
          source: node.part.source,
        },
        { text: `${nameSome(openedBy(first))} opened ${first.name}`, source: all.find((other) => other !== node)?.part.source ?? "files" },
      ],
      explains: deadStoreRefs(view, node, "stale-too"),
      certainty: "certain",
    },
  ];
}

const opens = (files: readonly CentralFile[] | undefined, { name, digest }: CentralFile): boolean =>
  files?.some(
    (other) =>
      other.name === name &&
      other.reading?.status === "ok" &&
      (digest === undefined || other.digest === undefined || other.digest === digest),
  ) === true;

function deadFinding(view: View, all: readonly Central[], { node, refs, hosts, peers }: DeadCentral): readonly FindingDraft[] {
  const without = node.part.hasPassword === false && all.some((other) => other !== node && other.part.hasPassword === true);
  if (!without && startedLately(view, node.evidence)) return [];
  return [
    {
      ...words(node),
      proof: [
        {
          text: without ? "no password for the files is set" : "the row, the folder and its files are as they should be",
          source: node.part.source,
        },
        { text: `${nameSome(hosts)}: no certificate from ${node.node.name}`, source: `probe of ${node.node.name}` },
        servedProof(peers),
      ],
      explains: refs,
      ...(without
        ? { certainty: "certain" }
        : {
            certainty: "likely",
            others: [`${node.node.name} started before the folder could be read, and did not look again`],
            decides: `restart the World Wide Web Publishing Service on ${node.node.name}: if the names stay dead, it is the password`,
          }),
    },
  ];
}

const servedProof = (peers: readonly string[]): Proof => ({
  text: `${nameSome(peers)} ${peers.length === 1 ? "serves" : "serve"} the same files`,
  source: `probe of ${peers[0] ?? ""}`,
});

function words({ node: { name }, evidence }: Central) {
  const isCertfarm = evidence.make === "certfarm";
  return {
    summary: `${name} does not have the password of the certificate files`,
    nodes: [name],
    hosts: [],
    remedy: isCertfarm
      ? `Give ${name} the password file that the other nodes have: certfarm node --passwords FILE (docs/certificates.md).`
      : `On ${name} enter the password of the certificate files again: Set-WebCentralCertProvider -PrivateKeyPassword (it is asked for, never shown).`,
    effect: `${name} opens the files that its peers open.`,
    actions: [
      {
        do: "manual",
        node: name,
        text: isCertfarm ? "give it the password file of the other nodes" : "enter the password of the certificate files again",
      },
    ] as const,
  };
}
