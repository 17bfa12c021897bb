import type { FindingDraft } from "../finding.ts";
import type { Cell } from "../examination.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { View } from "../view.ts";
import { isHttpApi } from "../wire/cause-of.ts";
import { groupBy } from "../group-by.ts";
import { checkFindings, groupOf, illRefs, peersProof, plural, probeOf, type Group } from "../wire/groups.ts";
import { covers, servedOf } from "../wire/served.ts";

/** The certificate is right, and HTTP.sys has no site to give the request to. */
export const siteStopped: Rule = {
  code: "site-stopped",
  title: "A site is stopped or not bound to the name",
  severity: "error",
  tier: "wire",
  source: "https://learn.microsoft.com/en-us/troubleshoot/developer/webapps/iis/site-behavior-performance/http-error-logging-in-http-apis",
  explains:
    "The handshake ends well and the answer to a request comes from HTTP.sys itself (`Server: Microsoft-HTTPAPI/2.0`): 404 or 400 when no site on this server is started and bound to the name, 503 when the site's application pool is stopped.",
  remedy:
    "On that server: `Get-Website` and `Start-Website NAME`; `Get-WebAppPoolState NAME` and `Start-WebAppPool NAME`; for a missing binding `Get-WebBinding -HostHeader HOST`, and see that shared configuration has arrived.",
  check: (view) => {
    const cells = view.nodes.flatMap(({ name }) => view.cellsOf(name)).filter(answeredByHttpApi);
    const groups = [...groupBy(cells, ({ node, request }) => `${node} ${request?.status ?? 0}`).values()].flatMap((group) =>
      groupOf(view, group),
    );
    return checkFindings(
      view,
      groups.map((group) => draft(view, group)),
    );
  },
};

const STATUSES = new Set([400, 404, 503]);

function answeredByHttpApi(cell: Cell): boolean {
  const served = servedOf(cell);
  return (
    served !== undefined &&
    covers(served, cell.host) &&
    STATUSES.has(cell.request?.status ?? 0) &&
    isHttpApi(cell.request?.headers["server"])
  );
}

function draft(view: View, group: Group): FindingDraft {
  const [cell] = group.cells;
  const status = cell.request?.status ?? 0;
  const who = nameSome(group.nodes);
  const pool = status === 503;
  return {
    summary: pool
      ? `The application pool of ${nameSome(group.hosts)} is stopped on ${who}`
      : `${who} has no started site that is bound to ${nameSome(group.hosts)}`,
    nodes: group.nodes,
    hosts: group.hosts,
    proof: [
      {
        text: `the certificate is right, and the answer is ${status} from ${shorten(cell.request?.headers["server"] ?? "")}`,
        source: probeOf(cell),
      },
      ...peersProof(view, group),
    ],
    remedy: pool
      ? `Start the application pool on ${who}: \`Start-WebAppPool NAME\`.`
      : `Start the site on ${who} (\`Start-Website NAME\`), or bind it to ${plural(group.hosts, "the name", "the names")}.`,
    effect: `${who} answers requests for ${nameSome(group.hosts)}.`,
    actions: group.nodes.map((node) => ({
      do: "manual",
      node,
      text: pool ? "Start the application pool" : "Start the site, or bind it to the name",
    })),
    explains: illRefs(view, group.cells),
    certainty: "certain",
  };
}
