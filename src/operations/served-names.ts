import { ipFamily, parseHostPattern, type HostName, type HostPattern, type IpAddress } from "../base/index.ts";
import { desiredTable, type BindingTable } from "../bindings/index.ts";
import { openCentralCertificates, type CentralCertificates } from "../certificates/index.ts";
import {
  bindingsOf,
  createSiteIndex,
  planImpact,
  servedPorts,
  type FarmConfig,
  type ImpactHost,
  type ImpactPlan,
  type Served,
  type SiteIndex,
} from "../config/index.ts";
import { decide, serverNameOf, type Decision } from "../handshake/index.ts";
import { parseFileName } from "../pki/index.ts";
import type { AgedReport } from "../replica/index.ts";
import type { OperationsParts } from "./parts.ts";

/** What a change of the configuration is weighed by. */
export interface ImpactQuestion {
  readonly before: FarmConfig | undefined;
  readonly after: FarmConfig;
  readonly reports: readonly AgedReport[];
  readonly signal?: AbortSignal;
}

/** Files that are read for their own sake, so that certificates that cover other names are known; in larger stores only what is asked for. */
const READ_ALL = 300;
/** Unchanged hosts whose certificate is looked up, to be shown. */
const MAX_SHOWN_READS = 2_000;
const MAX_ROUNDS = 6;
const MAX_ASKED = 100_000;
/** The label that stands for any label below a wildcard, the same as in a node's self-proof. */
const SAMPLE_LABEL = "certfarm-proof";

/**
 * What every node serves before and after, by the same selection that serves: over the tables that both configurations ask for and the
 * central certificates of the moment. @throws STORE_UNAVAILABLE, CERTIFICATES_READER_FAILED
 */
export async function weighImpact(parts: OperationsParts, question: ImpactQuestion): Promise<ImpactPlan> {
  const central = openCentralCertificates({
    folder: parts.store.folder("certificates"),
    clock: parts.clock,
    log: parts.log,
    passwords: parts.passwords,
    scan: "off",
    ...(parts.workers === undefined ? {} : { workers: parts.workers }),
  });
  try {
    await central.listed();
    const files = await parts.store.folder("certificates").names();
    if (files.length <= READ_ALL) await central.read(files);
    return await settle(new Weighing(parts, question, { central, files }), central, question.signal);
  } finally {
    await central.close();
  }
}

/** Plans again and again, reading in between what the selection asks for. */
async function settle(weighing: Weighing, central: CentralCertificates, signal: AbortSignal | undefined): Promise<ImpactPlan> {
  for (let round = 1; ; round += 1) {
    const plan = weighing.plan();
    const needed = weighing.takeNeeded();
    if (needed.length === 0 || round === MAX_ROUNDS) return plan;
    await central.read(needed, signal === undefined ? {} : { signal });
  }
}

interface Side {
  readonly config: FarmConfig;
  readonly table: BindingTable;
  readonly index: SiteIndex;
  /** Addresses that bindings name for a host and port; absent = every address of the node. */
  readonly addresses: ReadonlyMap<string, ReadonlySet<IpAddress>>;
}

class Weighing {
  readonly #parts: OperationsParts;
  readonly #question: ImpactQuestion;
  readonly #central: CentralCertificates;
  readonly #sides: { readonly before: Side | undefined; readonly after: Side };
  readonly #nodeAddresses: {
    readonly before: ReadonlyMap<string, readonly IpAddress[]>;
    readonly after: ReadonlyMap<string, readonly IpAddress[]>;
  };
  readonly #asked: readonly ImpactHost[];
  readonly #proved: ReadonlyMap<string, string>;
  readonly #changedPorts: ReadonlySet<number>;
  readonly #needed = new Set<string>();
  readonly #decided = new Map<string, Served>();
  #shownReads = 0;

  constructor(parts: OperationsParts, question: ImpactQuestion, found: { central: CentralCertificates; files: readonly string[] }) {
    const { before, after } = question;
    this.#parts = parts;
    this.#question = question;
    this.#central = found.central;
    this.#sides = { before: before === undefined ? undefined : sideOf(before), after: sideOf(after) };
    this.#nodeAddresses = { before: addressesOf(before), after: addressesOf(after) };
    this.#proved = provedNames(question.reports);
    this.#asked = askedFor(this.#sides, [...namesOf(found.files), ...question.reports.flatMap(hostsOfReport)]);
    this.#changedPorts = changedPorts(this.#sides.before, this.#sides.after);
  }

  plan(): ImpactPlan {
    this.#decided.clear();
    this.#shownReads = 0;
    const { before, after } = this.#question;
    return planImpact({ before, after, askedFor: this.#asked, serves: (...asked) => this.#serves(asked) });
  }

  /** Files that the last plan lacked. */
  takeNeeded(): readonly string[] {
    const needed = [...this.#needed];
    this.#needed.clear();
    return needed;
  }

  #serves([sideName, node, host, port]: ["before" | "after", string, HostPattern, number]): Served {
    const side = this.#sides[sideName];
    if (side === undefined) return { kind: "refuse", reason: "nothing was configured" };
    const own = this.#nodeAddresses[sideName].get(node) ?? [];
    const addresses = addressesFor(side, own, `${host}:${port}`);
    const key = `${sideName} ${port} ${host} ${addresses.join(",")}`;
    const known = this.#decided.get(key);
    if (known !== undefined) return known;
    const served = merge(addresses.map((address) => this.#decide(side, address, host, port)));
    this.#decided.set(key, served);
    return served;
  }

  #decide(side: Side, address: IpAddress, host: HostPattern, port: number): Served {
    const decision = decide({
      table: side.table,
      serverName: serverNameOf(sampleOf(host)),
      local: { address, port },
      central: this.#central.view,
      now: this.#parts.clock.now(),
    });
    if (decision.kind !== "need") return this.#final(decision, side, host, port);
    if (this.#isAffected(host, port) || this.#shownReads < MAX_SHOWN_READS) {
      this.#shownReads += 1;
      for (const file of decision.files) this.#needed.add(file);
    }
    return { kind: "serve", thumbprints: [], files: decision.files };
  }

  #final(decision: Exclude<Decision, { kind: "need" }>, side: Side, host: HostPattern, port: number): Served {
    if (decision.kind === "serve") {
      const { certificates } = decision;
      return { kind: "serve", thumbprints: certificates.map((each) => each.thumbprint), files: certificates.map((each) => each.file) };
    }
    // In a large store a certificate that covers other names is known to the nodes, by their scan, and not here: their proof stands for it.
    const proved = this.#proved.get(`${host}:${port}`);
    const hasCentral = side.table.rows.some(({ key }) => key.kind === "central" && key.port === port);
    if (decision.reason === "no-certificate" && proved !== undefined && hasCentral && !this.#readAll) {
      return { kind: "serve", thumbprints: [proved], files: [] };
    }
    return { kind: "refuse", reason: decision.reason };
  }

  get #readAll(): boolean {
    const { listed, read } = this.#central.counts();
    return read >= listed;
  }

  /** Whether the change can concern a host: other rows on its port, or bound on one side only. */
  #isAffected(host: HostPattern, port: number): boolean {
    const { before, after } = this.#sides;
    return before === undefined || this.#changedPorts.has(port) || isBound(before.index, host, port) !== isBound(after.index, host, port);
  }
}

function sideOf(config: FarmConfig): Side {
  const bindings = bindingsOf(config);
  const addresses = new Map<string, Set<IpAddress>>();
  const everywhere = new Set<string>();
  for (const { protocol, host, port, address } of bindings) {
    if (protocol !== "https" || host === undefined) continue;
    const key = `${host}:${port}`;
    if (address === "*") everywhere.add(key);
    else addresses.set(key, (addresses.get(key) ?? new Set()).add(address));
  }
  for (const key of everywhere) addresses.delete(key);
  return { config, table: desiredTable(bindings).table, index: createSiteIndex(config), addresses };
}

const addressesOf = (config: FarmConfig | undefined): ReadonlyMap<string, readonly IpAddress[]> =>
  new Map(config?.nodes.map(({ name, addresses }) => [name, addresses]));

/** The addresses of a node at which a host is to be had: those its bindings name, as far as the node has them. */
function addressesFor(side: Side, own: readonly IpAddress[], key: string): readonly IpAddress[] {
  const named = side.addresses.get(key);
  if (named === undefined) return own;
  const there = [...named].filter((address) => own.includes(address) || own.includes(everyAddress(address)));
  return there.length === 0 ? own : there;
}

const everyAddress = (address: IpAddress): IpAddress => (ipFamily(address) === 4 ? "0.0.0.0" : "::") as IpAddress; // canonical forms

/** One answer for all addresses: who is refused at one of them is refused. */
function merge(answers: readonly Served[]): Served {
  const refused = answers.find((answer) => answer.kind === "refuse");
  if (refused !== undefined) return refused;
  const served = answers.filter((answer) => answer.kind === "serve");
  if (served.length === 0) return { kind: "refuse", reason: "the node has no address" };
  return {
    kind: "serve",
    thumbprints: [...new Set(served.flatMap((answer) => answer.thumbprints))],
    files: [...new Set(served.flatMap((answer) => answer.files))],
  };
}

const sampleOf = (host: HostPattern): string => (host.startsWith("*.") ? `${SAMPLE_LABEL}${host.slice(1)}` : host);

const namesOf = (files: readonly string[]): readonly HostPattern[] =>
  files.flatMap((file) => {
    const pattern = parseFileName(file)?.pattern;
    return pattern === undefined ? [] : [pattern];
  });

const hostsOfReport = ({ report }: AgedReport): readonly HostPattern[] =>
  report.proof.hosts.flatMap(({ host }) => {
    const pattern = parseHostPattern(host);
    return pattern === undefined ? [] : [pattern];
  });

function provedNames(reports: readonly AgedReport[]): ReadonlyMap<string, string> {
  const proved = new Map<string, string>();
  for (const { report } of reports) {
    for (const { host, port, verdict, thumbprint } of report.proof.hosts) {
      if (verdict === "proved" && thumbprint !== undefined) proved.set(`${host}:${port}`, thumbprint);
    }
  }
  return proved;
}

/** Names that a binding for a wildcard or for any host takes on a port of either side. */
function askedFor(sides: { before: Side | undefined; after: Side }, names: readonly HostPattern[]): readonly ImpactHost[] {
  const present = [sides.before, sides.after].filter((side) => side !== undefined);
  const ports = new Set(
    present.flatMap(({ config }) =>
      servedPorts(config)
        .filter(({ protocol }) => protocol === "https")
        .map(({ port }) => port),
    ),
  );
  const asked: ImpactHost[] = [];
  for (const host of new Set(names)) {
    for (const port of ports) {
      if (asked.length < MAX_ASKED && present.some(({ index }) => isBound(index, host, port))) asked.push({ host, port });
    }
  }
  return asked;
}

const isBound = (index: SiteIndex, host: HostPattern, port: number): boolean =>
  index.find("https", port, host as string as HostName) !== undefined; // a look-up by text only

/** Ports whose rows differ between the two sides. */
function changedPorts(before: Side | undefined, after: Side): ReadonlySet<number> {
  const rowsByPort = (side: Side | undefined): ReadonlyMap<number, string> => {
    const byPort = new Map<number, string>();
    for (const row of side?.table.rows ?? []) byPort.set(row.key.port, `${byPort.get(row.key.port) ?? ""}${JSON.stringify(row)}`);
    return byPort;
  };
  const [old, now] = [rowsByPort(before), rowsByPort(after)];
  return new Set([...old.keys(), ...now.keys()].filter((port) => old.get(port) !== now.get(port)));
}
