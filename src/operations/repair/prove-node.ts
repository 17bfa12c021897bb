import {
  parseHostPattern,
  patternCovers,
  type Clock,
  type Endpoint,
  type HostName,
  type HostPattern,
  type Instant,
} from "../../base/index.ts";
import type { FarmConfig } from "../../config/index.ts";
import { describeOutcome, type ProbeOutcome } from "../../doctor/index.ts";
import { probeTls } from "../../probe/index.ts";
import type { Asker } from "../ask-nodes.ts";
import { eachBounded } from "../look/each-bounded.ts";
import { farmTargets } from "../look/farm-targets.ts";

/** How well a host is served: 0 = not at all, 1 = by a certificate that is wrong for it, 2 = by one whose root is not known here, 3 = right. */
export type Rank = 0 | 1 | 2 | 3;

/** What a node serves at one moment. */
export interface NodeSight {
  /** The worst over the node's endpoints, by host. */
  readonly ranks: ReadonlyMap<string, Rank>;
  /** What is wrong, by host. */
  readonly texts: ReadonlyMap<string, string>;
  /** Clients without SNI get something else than the node's own table says, by endpoint. */
  readonly withoutName: readonly string[];
}

/** What proving works with. */
export interface ProverParts {
  readonly clock: Clock;
  readonly asker: Asker;
  readonly config: FarmConfig;
  readonly timeoutMs?: number;
  readonly caPem?: string;
}

const HANDSHAKE_MS = 5_000;
const AT_ONCE = 16;
const PROVE_MS = 60_000;
const ALPN = ["h2", "http/1.1"];

/** Looks at what a node serves: handshakes from outside with and without SNI, and what the node proves of itself. @throws NODE_NO_ANSWER */
export async function lookAtNode(parts: ProverParts, node: string, hosts: readonly HostName[]): Promise<NodeSight> {
  const targets = farmTargets(parts.config, { nodes: [node], hosts, promised: [] });
  const ofNode = targets.flatMap(({ port, hosts: onPort, nodes }) =>
    nodes
      .filter(({ role }) => role === "node")
      .flatMap(({ endpoints }) => endpoints.map((endpoint) => ({ port, endpoint, hosts: onPort }))),
  );
  const [dialled, proofs, withoutName] = await Promise.all([
    dialAll(parts, ofNode.flatMap(({ endpoint, hosts: onPort }) => onPort.map((host) => ({ endpoint, host })))), // prettier-ignore
    parts.asker.ask(node, "prove", { hosts: hosts.map(boundName) }, { timeoutMs: PROVE_MS }),
    Promise.all(ofNode.map(({ port, endpoint }) => lookWithoutName(parts, { node, port, endpoint }))),
  ]);
  const ranks = new Map<string, Rank>();
  const texts = new Map<string, string>();
  const note = (host: string, rank: Rank, text: string): void => {
    if (rank < 3 && (ranks.get(host) ?? 4) >= rank) texts.set(host, text);
    ranks.set(host, lower(ranks.get(host) ?? rank, rank));
  };
  for (const { host, outcome } of dialled) note(host, rankOf(outcome, host, parts.clock.now()), describeOutcome(outcome));
  const names = new Map<string, HostName>(hosts.map((host) => [boundName(host), host]));
  for (const { host, verdict, problem, reason } of proofs.hosts) {
    const asked = names.get(host);
    if (asked !== undefined && verdict === "failed")
      note(asked, lower(ranks.get(asked) ?? 1, 1), problem ?? reason ?? "the node cannot prove it");
  }
  return { ranks, texts, withoutName: withoutName.flatMap((problem) => problem ?? []) };
}

const lower = (a: Rank, b: Rank): Rank => (a < b ? a : b);

/** The name as bound: the label that a node dials below a wildcard stands for the wildcard. */
function boundName(host: HostName): HostPattern {
  const wildcard = host.startsWith("certfarm-proof.") ? parseHostPattern(`*${host.slice("certfarm-proof".length)}`) : undefined;
  return wildcard ?? (host as string as HostPattern); // a HostName is a HostPattern
}

interface Dialled {
  readonly host: HostName;
  readonly outcome: ProbeOutcome;
}

function dialAll(
  parts: ProverParts,
  pairs: readonly { readonly endpoint: Endpoint; readonly host: HostName }[],
): Promise<readonly Dialled[]> {
  return eachBounded(pairs, AT_ONCE, async ({ endpoint, host }) => ({ host, outcome: await dial(parts, endpoint, host) }));
}

async function dial({ clock, timeoutMs = HANDSHAKE_MS, caPem }: ProverParts, target: Endpoint, host?: HostName): Promise<ProbeOutcome> {
  const trust = caPem === undefined ? {} : { ca: [caPem] };
  const name = host === undefined ? {} : { host };
  return (await probeTls({ target, ...name, ...trust, alpn: ALPN, timeoutMs, verify: true, clock })).outcome;
}

function rankOf(outcome: ProbeOutcome, host: HostName, now: Instant): Rank {
  if (outcome.kind !== "served") return 0;
  const covers = outcome.dnsNames.some((name) => patternCovers(name as HostPattern, host)); // names of a parsed certificate
  if (!covers || outcome.notAfter <= now || outcome.notBefore > now) return 1;
  return outcome.verified === true ? 3 : 2;
}

/** What differs between the wire and what the node's own selection says for a client without SNI. */
async function lookWithoutName(
  parts: ProverParts,
  { node, port, endpoint }: { readonly node: string; readonly port: number; readonly endpoint: Endpoint },
): Promise<string | undefined> {
  const [outcome, { decision }] = await Promise.all([
    dial(parts, endpoint),
    parts.asker.ask(node, "explain", { port, address: endpoint.address }),
  ]);
  const chosen = decision.kind === "serve" ? decision.certificates.map(({ thumbprint }) => thumbprint) : [];
  const fits = outcome.kind === "served" ? chosen.includes(outcome.thumbprint) : chosen.length === 0;
  if (fits) return undefined;
  return `${endpoint.address} port ${endpoint.port} without SNI: ${describeOutcome(outcome)}, its table says ${chosen[0] ?? "refuse"}`;
}

/** A wrong certificate helps nobody: that none is served in its place is no loss. */
const isWorse = (before: number, after: Rank): boolean => before >= 2 && after < before;

/** What got worse and what got better. */
export interface Comparison {
  /** A sentence each; empty = nothing. */
  readonly worse: readonly string[];
  /** Hosts that are served now and were not, or not right. */
  readonly better: readonly string[];
}

/** Compares two looks at one node; of the earlier one the ranks alone may be known. */
export function compareSights(before: ReadonlyMap<string, number>, after: NodeSight, wrongBefore = 0): Comparison {
  const worse = [...after.ranks]
    .filter(([host, rank]) => isWorse(before.get(host) ?? 0, rank))
    .map(([host]) => `${host}: ${after.texts.get(host) ?? "served worse"}`);
  const better = [...after.ranks].filter(([host, rank]) => rank > (before.get(host) ?? rank) && rank >= 2).map(([host]) => host);
  return { worse: after.withoutName.length > wrongBefore ? [...worse, ...after.withoutName] : worse, better };
}
