import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import { tryingStore } from "../node/central-asked.ts";
import { deadCentralNodes, type DeadCentral } from "../node/dead-central-names.ts";
import { startedLately } from "../node/started-lately.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import type { Rule } from "../rule.ts";

/** Boot order: the web server was up before the network or the share was. */
export const startedBeforeStore: Rule = {
  code: "started-before-store",
  title: "A server started before it could read the central store",
  severity: "error",
  tier: "node",
  source:
    "https://learn.microsoft.com/en-us/iis/web-hosting/scenario-build-a-web-farm-with-iis-servers/planning-step-4-plan-ssl-central-certificate-store",
  explains:
    "A server that starts before the network or the file server is there finds no certificates, and may go on without them although the folder can be read now. " +
    "It looks like a wrong password, and goes away with a restart of the service.",
  remedy: "On that server restart the service: `iisreset`. So that it does not come back: start it delayed, or after the file server.",
  check(view) {
    if (tryingStore(view).length === 0) return withoutEvidence(view, "central", ["iis"]);
    const dead = deadCentralNodes(view);
    return result(dead.filter(({ node }) => startedLately(view, node.evidence) && node.part.hasPassword !== false).map(finding));
  },
};

function finding({ node, refs, hosts, peers }: DeadCentral): FindingDraft {
  const { name } = node.node;
  const { system } = node.evidence;
  return {
    summary: `${name} serves no central certificate since it started`,
    nodes: [name],
    hosts: [],
    proof: [
      {
        text: `started ${system?.startedAt === undefined ? "lately" : new Date(system.startedAt).toISOString()}`,
        source: system?.source ?? node.evidence.source,
      },
      { text: "the row, the folder and its files are as they should be now", source: node.part.source },
      {
        text: `${nameSome(hosts)}: no certificate; ${nameSome(peers)} ${peers.length === 1 ? "serves" : "serve"} the same files`,
        source: `probe of ${name}`,
      },
    ],
    remedy: `On ${name} restart the service: iisreset`,
    effect: `Connections of ${name} are cut off for some seconds.`,
    actions: [{ do: "manual", node: name, text: "iisreset" }],
    explains: refs,
    certainty: "likely",
    others: [`${name} does not have the password of the certificate files`],
    decides: `iisreset on ${name}: if the names stay dead, it is the password`,
  };
}
