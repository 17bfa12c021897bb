import type { Cell } from "../examination.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { View } from "../view.ts";
import { checkFindings, illRefs, plural, probeOf } from "../wire/groups.ts";
import { servedOf, type Served } from "../wire/served.ts";

/** Somebody between the doctor and the nodes opens the connections. */
export const tlsInterception: Rule = {
  code: "tls-interception",
  title: "Something between the doctor and the nodes opens TLS",
  severity: "error",
  tier: "node",
  source: "https://www.rfc-editor.org/rfc/rfc9325#section-1",
  explains:
    "All hosts on all nodes show certificates of one issuer that is not trusted, and none of them is a certificate that the farm has: a firewall, virus scanner or proxy on the way opens the connections and signs certificates of its own. What the nodes serve was not seen.",
  remedy:
    "Run the doctor from a machine beside the nodes, or exempt the nodes' addresses from inspection. Look at the issuer of the certificate: `openssl s_client -connect ADDRESS:443 -servername HOST | openssl x509 -noout -issuer`.",
  check: (view) => {
    const cells = view.nodes.flatMap(({ name }) => view.cellsOf(name)).filter((cell) => servedOf(cell) !== undefined);
    const leaves = cells.flatMap((cell) => servedOf(cell) ?? []);
    if (!oneStranger(leaves)) return checkFindings(view, []);
    const known = knownLeaves(view);
    const product = INSPECTORS.find((pattern) => pattern.test(leaves[0]?.issuer ?? ""));
    if (known.size === 0 && product === undefined)
      return {
        status: "could-not-look",
        why: "all certificates have one unknown issuer; the files of the farm would tell whether they are its own",
      };
    if (leaves.some(({ sha256 }) => known.has(sha256))) return { status: "passed" };
    return { status: "found", findings: draft(view, cells, known.size > 0) };
  },
};

/** OpenSSL's codes of a chain that ends at an issuer nobody knows. */
const UNKNOWN_ISSUER = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
]);

/** Makers of devices and programs that open TLS, as their issuers call themselves. */
const INSPECTORS = [
  /fortinet|fortigate/i,
  /zscaler/i,
  /palo alto|\bpan-?os\b/i,
  /netskope/i,
  /sophos/i,
  /kaspersky/i,
  /\bavast\b|\bavg\b/i,
  /\beset ssl filter/i,
  /bitdefender/i,
  /cisco umbrella/i,
  /blue ?coat/i,
  /check ?point/i,
  /forcepoint|websense/i,
  /barracuda/i,
  /mcafee|skyhigh/i,
  /squid/i,
  /mitmproxy/i,
] as const;

/** Several certificates for several hosts, all of one issuer that is not trusted. */
function oneStranger(leaves: readonly Served[]): boolean {
  const issuers = new Set(leaves.map(({ issuer }) => issuer));
  return (
    issuers.size === 1 &&
    new Set(leaves.map(({ sha256 }) => sha256)).size > 1 &&
    leaves.every(({ verified }) => typeof verified === "string" && UNKNOWN_ISSUER.has(verified))
  );
}

/** Certificates that the farm is known to have. */
function knownLeaves({ examination, nodes }: View): ReadonlySet<string> {
  const files = [examination.central?.files ?? [], ...nodes.map(({ evidence }) => evidence?.central?.files ?? [])].flat();
  return new Set(files.flatMap(({ reading }) => reading?.facts?.leaf.sha256 ?? []));
}

function draft(view: View, cells: readonly Cell[], compared: boolean): readonly FindingDraft[] {
  const [cell] = cells;
  const served = cell === undefined ? undefined : servedOf(cell);
  if (cell === undefined || served === undefined) return [];
  const hosts = [...new Set(cells.map(({ host }) => host))];
  return [
    {
      summary: `Every certificate that was seen is issued by ${shorten(served.issuer)}: something between the doctor and the nodes opens TLS`,
      nodes: [],
      hosts: [],
      proof: [
        {
          text: `${nameSome(hosts)} ${plural(hosts, "shows", "show")} issuer ${shorten(served.issuer)}, which is not trusted (${String(served.verified)})`,
          source: probeOf(cell),
        },
        ...(compared
          ? [
              {
                text: "no file of the central certificates holds any of them",
                source: view.examination.central?.source ?? "evidence of the nodes",
              },
            ]
          : []),
      ],
      remedy: "Run the doctor from a machine beside the nodes, or exempt their addresses from inspection.",
      effect: "The doctor sees what the nodes serve.",
      actions: [{ do: "manual", text: "Run the doctor from a machine beside the nodes" }],
      explains: illRefs(view, cells),
      certainty: "likely",
      decides: "the same probe from a machine beside the nodes: another issuer there proves it",
    },
  ];
}
