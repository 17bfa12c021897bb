import type { HostProof } from "../replica/index.ts";
import { createProofLog, type ProofLog } from "./proof-log.ts";
import { askedTarget, boundTarget, targetKey, type ProofTarget } from "./proof-target.ts";
import { proveTarget, selectionPrint, type ProvingParts } from "./prove-target.ts";

/** Counts of verdicts, and hosts one by one: failed ones first. */
export interface ProofSummary {
  readonly proved: number;
  readonly failed: number;
  readonly pending: number;
  readonly hosts: readonly HostProof[];
  readonly truncated: boolean;
}

interface Proven {
  readonly proof: HostProof;
  /** What selection said when it was proved. */
  readonly print: string;
  readonly checkedMs: number;
}

const CONCURRENCY = 4;
const PER_TICK = 5;
const BUSY_TICK_MS = 40;
const IDLE_TICK_MS = 500;
/** A proved host is looked at again after this long; a failed one sooner: somebody is probably mending it. */
const ROTATION_MS = 30_000;
const FAILED_ROTATION_MS = 2_000;
const LOOKED_AT_PER_TICK = 200;
const SWEEP_CHUNK = 1_000;
/** Hosts of the configuration that are proved in rotation; others are proved when somebody asks for them. */
const MAX_TARGETS = 20_000;
const MAX_ASKED = 5_000;
const MAX_NOW = 1_000;
const ON_DEMAND = 4;
/** Asked for and not answered yet; who comes then is told to ask again. */
const MAX_DEMANDED = 200;

/**
 * The node as its own client: it dials its listeners with each host's SNI, changed hosts first, then in rotation, and compares what is
 * served with what selection says. At most CONCURRENCY handshakes at a time and PER_TICK a tick: proving stays a small part of the load.
 */
export class SelfProof {
  readonly log: ProofLog;
  readonly #parts: ProvingParts;
  readonly #targets = new Map<string, ProofTarget>();
  readonly #asked = new Map<string, ProofTarget>();
  readonly #results = new Map<string, Proven>();
  readonly #changed = new Set<string>();
  readonly #running = new Map<string, Promise<HostProof>>();
  readonly #listeners: (() => void)[] = [];
  #rotation: string[] = [];
  #sweeping: Promise<void> | undefined;
  #sweepAgain = false;
  #demanded = 0;
  #answering = 0;
  #lane = 0;
  readonly #lanes: Promise<void>[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: ProvingParts) {
    this.#parts = parts;
    this.log = createProofLog(parts.clock);
  }

  /** Something changed: hosts whose selection is another one now are proved first. Cheap, may be called often. */
  kick(): void {
    if (this.#sweeping !== undefined) {
      this.#sweepAgain = true;
      return;
    }
    this.#sweeping = this.#sweep().finally(() => {
      this.#sweeping = undefined;
      if (this.#sweepAgain) this.kick();
      else this.#schedule(0);
    });
  }

  /** Proves these bound names now (all of them when absent), at most MAX_NOW. */
  async proveNow(hosts?: readonly string[]): Promise<readonly HostProof[]> {
    await this.#sweeping;
    const wanted = [...this.#targets].filter(([, target]) => hosts === undefined || hosts.includes(target.shown));
    const proofs: HostProof[] = [];
    for (const [key, target] of wanted.slice(0, MAX_NOW)) proofs.push(await this.#prove(key, target));
    return proofs;
  }

  /** The verdict on one name, proved on demand when it is not known; undefined = not a host name, pending = too many are asked for. */
  async verdict(text: string, port: number): Promise<HostProof | undefined> {
    const target = this.#targets.get(targetKey(text, port)) ?? askedTarget(text, port);
    if (target === undefined) return undefined;
    const key = targetKey(target.shown, port);
    const known = this.#results.get(key);
    if (known !== undefined && !this.#changed.has(key) && !this.#isDue(key)) return known.proof;
    if (this.#demanded >= MAX_DEMANDED) return { host: target.shown, port, verdict: "pending" };
    // A port that does not exist takes no room from names that do.
    if (!this.#targets.has(key) && this.#parts.listeners().some((one) => one.bindingPort === port)) this.#remember(key, target);
    this.#demanded += 1;
    try {
      return await this.#onDemand(() => this.#prove(key, target));
    } finally {
      this.#demanded -= 1;
    }
  }

  /** Proofs that others ask for, ON_DEMAND at a time: whoever reaches the health port cannot make the node busy with itself. */
  async #onDemand<T>(prove: () => Promise<T>): Promise<T> {
    const before = this.#lanes[this.#lane] ?? Promise.resolve();
    const turn = before.then(async () => {
      this.#answering += 1;
      try {
        return await prove();
      } finally {
        this.#answering -= 1;
      }
    });
    this.#lanes[this.#lane] = turn.then(ignore, ignore);
    this.#lane = (this.#lane + 1) % ON_DEMAND;
    return turn;
  }

  known(host: string, port: number): HostProof | undefined {
    return this.#results.get(targetKey(host, port))?.proof;
  }

  /** The verdict on a host, also where only the wildcard that covers it is bound. */
  proofOf(host: string, port: number): HostProof | undefined {
    return this.known(host, port) ?? this.known(wildcardAbove(host), port);
  }

  /** What is served changed without another selection: the host is proved anew next, and after it all others when all are concerned. */
  recheck(host: string, port: number, all: boolean): void {
    const wanted = [targetKey(host, port), targetKey(wildcardAbove(host), port), ...(all ? this.#targets.keys() : [])];
    for (const key of [...wanted, ...(all ? this.#asked.keys() : [])])
      if (this.#targets.has(key) || this.#asked.has(key)) this.#changed.add(key);
    this.#schedule(0);
  }

  summary(limit: number): ProofSummary {
    const counts = { proved: 0, failed: 0, pending: 0 };
    const failed: HostProof[] = [];
    const others: HostProof[] = [];
    for (const [key, target] of this.#targets) {
      const proof: HostProof = this.#results.get(key)?.proof ?? { host: target.shown, port: target.port, verdict: "pending" };
      counts[proof.verdict] += 1;
      const list = proof.verdict === "failed" ? failed : others;
      if (list.length < limit) list.push(proof);
    }
    const hosts = [...failed, ...others].slice(0, limit);
    return { ...counts, hosts, truncated: hosts.length < this.#targets.size };
  }

  /** Bound names of a port that are not proved: they failed, or were not looked at yet. */
  unproved(port: number): readonly string[] {
    const isOpen = ([key, target]: readonly [string, ProofTarget]): boolean =>
      target.port === port && this.#results.get(key)?.proof.verdict !== "proved";
    return [...this.#targets].filter(isOpen).map(([, { shown }]) => shown);
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Finds the targets whose selection differs from what was proved; yields to the event loop in between. */
  async #sweep(): Promise<void> {
    this.#sweepAgain = false;
    this.#refreshTargets();
    let looked = 0;
    for (const [key, target] of [...this.#targets, ...this.#asked]) {
      if (this.#closed) return;
      if (this.#results.get(key)?.print !== selectionPrint(this.#parts, target)) this.#changed.add(key);
      looked += 1;
      if (looked % SWEEP_CHUNK === 0) await new Promise(setImmediate);
    }
  }

  #refreshTargets(): void {
    const hosts = this.#parts.state().sites?.httpsHosts ?? [];
    const wanted = new Map<string, ProofTarget>();
    for (const { host, port } of hosts.slice(0, MAX_TARGETS)) {
      const target = boundTarget(host, port);
      if (target !== undefined) wanted.set(targetKey(host, port), target);
    }
    for (const key of this.#targets.keys()) if (!wanted.has(key) && !this.#asked.has(key)) this.#results.delete(key);
    this.#targets.clear();
    for (const [key, target] of wanted) this.#targets.set(key, target);
    this.#rotation = [...wanted.keys()];
  }

  #prove(key: string, target: ProofTarget): Promise<HostProof> {
    const joined = this.#running.get(key);
    if (joined !== undefined) return joined;
    this.#changed.delete(key);
    const promise = this.#proveOnce(key, target).finally(() => this.#running.delete(key));
    this.#running.set(key, promise);
    return promise;
  }

  async #proveOnce(key: string, target: ProofTarget): Promise<HostProof> {
    const before = selectionPrint(this.#parts, target);
    const proof = await proveTarget(this.#parts, target);
    const print = before === "need" ? selectionPrint(this.#parts, target) : before;
    this.#note(key, target, { proof, print, checkedMs: this.#parts.clock.monotonicMs() });
    return proof;
  }

  #note(key: string, target: ProofTarget, proven: Proven): void {
    const isBound = this.#targets.has(key);
    if (!isBound && !this.#asked.has(key)) return;
    const { proof } = proven;
    const last = this.#results.get(key)?.proof;
    this.#results.set(key, proven);
    // A name that nobody bound and that is not served was never counted on: asking for many such names must not push real news out.
    if (!isBound && last === undefined && proof.verdict === "failed") return;
    if (last?.verdict !== proof.verdict) this.log.add({ host: target.shown, port: target.port, proved: proof.verdict === "proved" });
    if (isSame(last, proof)) return;
    for (const listener of this.#listeners) listener();
  }

  #isDue(key: string): boolean {
    const result = this.#results.get(key);
    if (result === undefined) return true;
    const ageMs = this.#parts.clock.monotonicMs() - result.checkedMs;
    return ageMs > (result.proof.verdict === "proved" ? ROTATION_MS : FAILED_ROTATION_MS);
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    for (const key of this.#nextKeys()) {
      const target = this.#targets.get(key) ?? this.#asked.get(key);
      if (target === undefined) this.#changed.delete(key);
      else this.#prove(key, target).catch(() => this.#changed.add(key)); // overloaded: tried again by a later tick
    }
    this.#schedule(this.#changed.size > 0 ? BUSY_TICK_MS : IDLE_TICK_MS);
  };

  /** What this tick proves: changed hosts, then those whose turn it is. */
  #nextKeys(): readonly string[] {
    // Proofs on demand have lanes of their own: they do not take the place of these.
    const room = Math.min(PER_TICK, CONCURRENCY - Math.max(0, this.#running.size - this.#answering));
    const keys = [...this.#changed].slice(0, Math.max(0, room));
    for (let looked = 0; looked < Math.min(this.#rotation.length, LOOKED_AT_PER_TICK); looked += 1) {
      if (keys.length >= room) break;
      const key = this.#rotation.shift();
      if (key === undefined) break;
      this.#rotation.push(key);
      if (!this.#running.has(key) && !keys.includes(key) && this.#isDue(key)) keys.push(key);
    }
    return keys;
  }

  #schedule(delayMs: number): void {
    if (this.#closed || (this.#timer !== undefined && delayMs > 0)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#tick, delayMs);
    this.#timer.unref();
  }

  /** Names that were only asked for are kept in a bounded list, the oldest go. */
  #remember(key: string, target: ProofTarget): void {
    this.#asked.delete(key);
    this.#asked.set(key, target);
    const oldest = this.#asked.keys().next().value;
    if (this.#asked.size <= MAX_ASKED || oldest === undefined) return;
    this.#asked.delete(oldest);
    if (!this.#targets.has(oldest)) this.#results.delete(oldest);
  }
}

const isSame = (one: HostProof | undefined, other: HostProof): boolean =>
  one?.verdict === other.verdict && one.thumbprint === other.thumbprint && one.problem === other.problem;

const wildcardAbove = (host: string): string => `*${host.slice(host.indexOf("."))}`;

function ignore(): void {
  // The one who asked has the outcome; the lane only needs the order.
}
