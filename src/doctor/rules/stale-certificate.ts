import type { HostName, Instant } from "../../base/index.ts";
import { leafText, spanText } from "../files/certificate-text.ts";
import { isExpired, staleCells, type Stale } from "../files/renewals.ts";
import type { CellRef, FindingDraft, Proof, RepairAction, Severity } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";

/** Authorities date certificates back by up to an hour; without the file's time that is all there is to go by. */
const ISSUED_JUST_NOW_MS = 2 * 3_600_000;

/** The certificate was renewed, and a node goes on with the former one. */
export const staleCertificate: Rule = {
  code: "stale-certificate",
  title: "A node serves the certificate from before the renewal",
  severity: "error",
  tier: "host",
  source: "https://github.com/win-acme/win-acme/issues/1666",
  explains:
    "The file holds a newer certificate than the node presents. IIS looks for changed files every 300 s unless PollingInterval says otherwise, certfarm within a minute, nginx and HAProxy only when they are told to reload. " +
    "Within that time this is normal and a notice only; beyond it the node did not notice, and clients are turned away once the former certificate ends.",
  remedy:
    "certfarm: `certfarm repair` makes the node read the file again. IIS: wait for one polling interval; if the former certificate stays, `iisreset` on that server in a quiet moment. " +
    "nginx: `nginx -t && nginx -s reload`. HAProxy: `systemctl reload haproxy`.",
  check(view) {
    if (view.examination.cells.length === 0) return { status: "could-not-look", why: "no node was dialled" };
    const stale = staleCells(view);
    if (stale.length === 0) return { status: "passed" };
    const byHost = [...groupBy(stale, ({ host, successor }) => `${host} ${successor.from}`).values()];
    const groups = groupBy(byHost, (ofHost) => groupKey(ofHost, view.examination.at));
    return { status: "found", findings: [...groups.values()].flatMap((group) => draft(view, group.flat())) };
  },
};

function groupKey(stale: readonly Stale[], at: Instant): string {
  const [first] = stale;
  const severity = first === undefined ? "" : severityOf(first, at);
  return `${severity} ${first?.successor.from ?? ""} ${[...new Set(stale.map(({ node }) => node.name))].join(" ")}`;
}

function severityOf({ served, successor }: Stale, at: Instant): Severity {
  if (isExpired(served, at)) return "error";
  return at - changedAt({ successor }) <= allowedMs({ successor }) ? "notice" : "error";
}

/** When the successor came, as well as it is known. */
const changedAt = ({ successor }: Pick<Stale, "successor">): Instant =>
  (successor.from === "file" ? successor.leaf.modifiedAt : undefined) ?? successor.leaf.notBefore;

function allowedMs({ successor }: Pick<Stale, "successor">): number {
  if (successor.from === "peer" || successor.leaf.modifiedAt === undefined) return ISSUED_JUST_NOW_MS;
  return Number.isFinite(successor.expected.noticesWithinMs) ? successor.expected.noticesWithinMs : 0;
}

function draft(view: View, stale: readonly Stale[]): readonly FindingDraft[] {
  const [first] = stale;
  if (first === undefined) return [];
  const nodes = [...new Set(stale.map(({ node }) => node.name))];
  const hosts = [...new Set(stale.map(({ host }) => host))];
  const severity = severityOf(first, view.examination.at);
  return [
    {
      summary: `${nameSome(nodes)} ${nodes.length === 1 ? "serves" : "serve"} ${hosts.length === 1 ? "the former certificate" : "former certificates"} for ${nameSome(hosts)}`,
      nodes,
      hosts,
      proof: proofOf(view, first),
      remedy:
        severity === "notice"
          ? `Wait: ${nameSome(nodes)} should notice by ${nodes.length === 1 ? "itself" : "themselves"}.`
          : remedyFor(first, nodes),
      effect: "New connections get the new certificate; connections that are open keep the former one until they end.",
      actions: severity === "notice" ? [] : actionsOf(stale),
      explains: explained(view, stale, hosts),
      severity,
      ...certaintyOf(first),
    },
  ];
}

function certaintyOf({ successor }: Stale): Pick<FindingDraft, "certainty" | "others" | "decides"> {
  if (successor.from === "file") return { certainty: "certain" };
  return {
    certainty: "likely",
    others: ["the node is given the former certificate by its own store, row or configuration"],
    decides: "the file from which the node serves this host, and when it was changed",
  };
}

function proofOf(view: View, { node, served, host, successor }: Stale): readonly [Proof, ...Proof[]] {
  const shown = { text: `${node.name} serves ${leafText(served)} for ${host}`, source: `probe of ${node.name} for ${host}` };
  if (successor.from === "peer") {
    return [
      shown,
      {
        text: `${successor.peer} serves ${leafText(successor.leaf)}, with the same names`,
        source: `probe of ${successor.peer} for ${host}`,
      },
    ];
  }
  const { leaf, expected } = successor;
  const age = leaf.modifiedAt === undefined ? "" : `, and was changed ${spanText(view.examination.at - leaf.modifiedAt)} ago`;
  const interval =
    leaf.modifiedAt !== undefined && Number.isFinite(expected.noticesWithinMs)
      ? ` (it looks every ${spanText(expected.noticesWithinMs)})`
      : "";
  return [shown, { text: `${leaf.file} holds ${leafText(leaf)}${age}${interval}`, source: expected.source }];
}

function remedyFor({ node, successor }: Stale, nodes: readonly string[]): string {
  const who = nameSome(nodes);
  switch (node.evidence?.make) {
    case "certfarm":
      return `Have ${who} read the certificates again.`;
    case "nginx":
    case "haproxy":
      return `Reload ${node.evidence.make} on ${who}.`;
    case "iis":
      return `Restart IIS on ${who} in a quiet moment: it did not notice the new file.`;
    default:
      return successor.from === "peer"
        ? `Give ${who} the certificate that ${successor.peer} serves, or reload what serves there.`
        : `Reload what serves on ${who}.`;
  }
}

const RELOAD = { iis: "iisreset", nginx: "nginx -t && nginx -s reload", haproxy: "systemctl reload haproxy" } as const;

function actionsOf(stale: readonly Stale[]): readonly RepairAction[] {
  const perNode = [...groupBy(stale, ({ node }) => node.name).values()];
  return perNode.flatMap((ofNode): readonly RepairAction[] => {
    const [first] = ofNode;
    const make = first?.node.evidence?.make;
    if (first === undefined || make === undefined) return [];
    const node = first.node.name;
    if (make !== "certfarm") return [{ do: "manual", node, text: RELOAD[make] }];
    const hosts = new Set(ofNode.map(({ host }) => host));
    return [{ do: "resync", node, part: "certificates", ...(hosts.size === 1 ? { host: first.host } : {}) }];
  });
}

/** The nodes that are behind, and those that differ only because they are ahead. */
function explained(view: View, stale: readonly Stale[], hosts: readonly HostName[]): readonly CellRef[] {
  const successors = new Map(stale.map(({ host, successor }) => [host, successor.leaf.thumbprint]));
  const behind = new Set(stale.map(({ node, host }) => `${host} ${node.name}`));
  const asked = new Set(hosts);
  return view.symptoms.flatMap((symptom) => {
    const { node, host, kind } = symptom;
    if (!asked.has(host) || (kind !== "differs" && kind !== "validity")) return [];
    if (behind.has(`${host} ${node}`)) return [{ node, host }];
    const outcome = view.cellOf(symptom)?.probes.sni?.outcome;
    return kind === "differs" && outcome?.kind === "served" && outcome.thumbprint === successors.get(host) ? [{ node, host }] : [];
  });
}
