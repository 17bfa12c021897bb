import type { TLSSocket } from "node:tls";

import { LRUCache } from "lru-cache";

import { FarmError, ipFamily, type Clock, type HostPattern, type IpAddress } from "../base/index.ts";
import { indexTable, type BindingTable } from "../bindings/index.ts";
import type { CentralCertificates } from "../certificates/index.ts";
import type { TlsPolicy } from "../config/index.ts";
import type { AlertName, ChosenCertificate, RefusalCode, ServerName, TrailStep } from "../handshake/index.ts";
import type { TicketKeySet } from "../replica/index.ts";
import type { ColdGate } from "./cold-gate.ts";
import { createNativeMemory } from "./native-memory.ts";
import { createLiveName, fingerprintOf, type LiveName } from "./live-name.ts";
import type { FinalDecision, SelectionQuestion, Selector, ServingState } from "./selection.ts";
import { scopeDigest, scopeTicketKeys, ticketSlot, type ScopedTicketKeys, type TicketSlot } from "./ticket-scope.ts";

/** A ClientHello as far as choosing its TLS server goes. */
export interface NameQuestion extends SelectionQuestion {
  readonly ticketKeyName?: Uint8Array;
}

/** A TLS server that takes the connection, or why there is none. */
export type NameAnswer =
  | { readonly kind: "live"; readonly live: LiveName }
  | { readonly kind: "refused"; readonly reason: RefusalCode; readonly alert: AlertName; readonly trail: readonly TrailStep[] };

/** How a site wants its TLS on this port, with the CA file's text when client certificates are asked for. */
export interface ResolvedPolicy {
  readonly policy: TlsPolicy;
  /** Changes whenever the policy or the CA file does. */
  readonly digest: string;
  readonly clientCaPem?: string;
  /** Names what client certificates are checked by (web room's TlsDemands). */
  readonly clientRule?: string;
}

/** What the live names work with. */
export interface LiveNamesParts {
  readonly clock: Clock;
  readonly selector: Selector;
  readonly certificates: Pick<CentralCertificates, "view" | "prepared">;
  readonly gate: ColdGate;
  readonly state: () => ServingState;
  readonly policy: (serverName: ServerName, port: number) => Promise<ResolvedPolicy>;
  /** Grows when a file was replaced by another version. */
  readonly fileVersion: (file: string) => number;
  readonly secure: (socket: TLSSocket, live: LiveName) => void;
  readonly failed: (error: Error, socket: TLSSocket) => void;
}

type Served = Extract<FinalDecision, { kind: "serve" }>;

interface Slot {
  readonly live: LiveName;
  readonly scope: string;
  readonly generation: TicketSlot;
  epoch: number;
  checkedMs: number;
  tickets: ScopedTicketKeys | undefined;
  ticketSet: TicketKeySet | undefined;
}

const DEFAULT_HANDSHAKE_TIMEOUT_MS = 10_000;
/** Validity periods begin and end without any event: a hot name is decided anew this often. */
const RECHECK_MS = 15_000;

/** The node's TLS servers by name: made on first use, at most `maxLive` kept, the least recently used let go. */
export class LiveNames {
  readonly #parts: LiveNamesParts;
  readonly #making = new Map<string, Promise<NameAnswer>>();
  readonly #memory = createNativeMemory();
  #cache: LRUCache<string, Slot>;

  constructor(parts: LiveNamesParts, maxLive: number) {
    this.#parts = parts;
    this.#cache = this.#createCache(maxLive);
  }

  #createCache(maxLive: number): LRUCache<string, Slot> {
    return new LRUCache({ max: maxLive, dispose: () => this.#memory.letGo() });
  }

  get size(): number {
    return this.#cache.size;
  }

  /** Bounds the cache anew; the most recently used stay. */
  resize(maxLive: number): void {
    if (maxLive === this.#cache.max) return;
    const resized = this.#createCache(maxLive);
    resized.load(this.#cache.dump()); // ends with the most recently used: those stay
    this.#cache = resized;
  }

  /** The answer at once when the name is live (the hot path), else a promise of it, shared by all who ask meanwhile. Never rejects. */
  find(question: NameQuestion): NameAnswer | Promise<NameAnswer> {
    return this.#find(question, "current");
  }

  #find(question: NameQuestion, generation: TicketSlot): NameAnswer | Promise<NameAnswer> {
    const { table } = this.#parts.state();
    const key = `${generation} ${question.port} ${addressClass(table, question.address, question.port)} ${hostText(question.serverName)}`;
    const slot = this.#cache.get(key);
    if (slot !== undefined && this.#isCurrent(slot)) {
      const wanted = generation === "current" && slot.tickets !== undefined ? ticketSlot(slot.tickets, question.ticketKeyName) : generation;
      return wanted === generation ? { kind: "live", live: slot.live } : this.#find(question, wanted);
    }
    const made = this.#making.get(key) ?? this.#begin(key, question, generation);
    if (generation !== "current" || question.ticketKeyName === undefined) return made;
    return made.then((answer) => this.#withTicket(question, answer, key));
  }

  #begin(key: string, question: NameQuestion, generation: TicketSlot): Promise<NameAnswer> {
    const promise = this.#make(key, question, generation)
      .catch(refusedFor)
      .finally(() => this.#making.delete(key));
    this.#making.set(key, promise);
    return promise;
  }

  /** The making of a name is shared by all who wait for it; each may hold a ticket of another generation. */
  #withTicket(question: NameQuestion, answer: NameAnswer, key: string): NameAnswer | Promise<NameAnswer> {
    const tickets = this.#cache.get(key)?.tickets;
    if (answer.kind !== "live" || tickets === undefined) return answer;
    const wanted = ticketSlot(tickets, question.ticketKeyName);
    return wanted === "current" ? answer : this.#find(question, wanted);
  }

  /** Whether a slot is what its name should get. If not, #make decides anew and keeps the server when the answer is the same. */
  #isCurrent(slot: Slot): boolean {
    return slot.epoch === this.#parts.state().epoch && this.#parts.clock.monotonicMs() - slot.checkedMs < RECHECK_MS;
  }

  async #make(key: string, question: NameQuestion, generation: TicketSlot): Promise<NameAnswer> {
    const state = this.#parts.state();
    const decision = await this.#parts.selector.settled(question);
    if (decision.kind === "refuse") return { kind: "refused", reason: decision.reason, alert: decision.alert, trail: decision.trail };
    const resolved = await this.#parts.policy(question.serverName, question.port);
    const handshakeTimeoutMs = state.config?.limits.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS;
    const fingerprint = fingerprintOf(this.#versioned(decision.certificates), `${resolved.digest};${handshakeTimeoutMs}`);
    const known = this.#cache.get(key);
    if (known !== undefined && known.live.fingerprint === fingerprint) return this.#renew(known, state);

    const scope = scopeDigest([hostText(question.serverName), resolved.digest]);
    const tickets = state.ticketKeys === undefined ? undefined : scopeTicketKeys(state.ticketKeys, scope);
    const live = await this.#open(decision, { fingerprint, resolved, handshakeTimeoutMs, ticketKey: tickets?.[generation] });
    if (live === undefined) return refusedUnprepared(decision);
    const checkedMs = this.#parts.clock.monotonicMs();
    this.#cache.set(key, { live, scope, generation, epoch: state.epoch, checkedMs, tickets, ticketSet: state.ticketKeys });
    return { kind: "live", live };
  }

  /** Makes the TLS server when the gate lets it; undefined when no certificate of the decision can be prepared. */
  async #open(
    decision: Served,
    made: {
      readonly fingerprint: string;
      readonly resolved: ResolvedPolicy;
      readonly handshakeTimeoutMs: number;
      readonly ticketKey: Buffer | undefined;
    },
  ): Promise<LiveName | undefined> {
    const { certificates, gate, secure, failed } = this.#parts;
    const prepared = await Promise.all(decision.certificates.map((certificate) => certificates.prepared(certificate.file)));
    const usable = prepared.filter((certificate) => certificate !== undefined);
    if (usable.length === 0) return undefined;
    const { policy, clientCaPem, clientRule } = made.resolved;
    const settings = {
      fingerprint: made.fingerprint,
      certificates: usable,
      certificateNames: this.#coveredNames(decision),
      policy,
      handshakeTimeoutMs: made.handshakeTimeoutMs,
      ...(clientCaPem === undefined ? {} : { clientCaPem }),
      ...(clientRule === undefined ? {} : { clientRule }),
      ...(made.ticketKey === undefined ? {} : { ticketKey: made.ticketKey }),
    };
    return gate.run(() => createLiveName(settings, { secure, failed }));
  }

  /** The same service under a new epoch: keeps the server, brings its ticket keys up to date. */
  #renew(slot: Slot, state: ServingState): NameAnswer {
    if (state.ticketKeys !== undefined && state.ticketKeys !== slot.ticketSet) {
      slot.tickets = scopeTicketKeys(state.ticketKeys, slot.scope);
      slot.ticketSet = state.ticketKeys;
      const key = slot.tickets[slot.generation];
      if (key !== undefined) slot.live.server.setTicketKeys(key);
    }
    slot.epoch = state.epoch;
    slot.checkedMs = this.#parts.clock.monotonicMs();
    return { kind: "live", live: slot.live };
  }

  #versioned(certificates: readonly ChosenCertificate[]): readonly ChosenCertificate[] {
    return certificates.map((one) => ({ ...one, thumbprint: `${one.thumbprint}/${this.#parts.fileVersion(one.file)}` }));
  }

  #coveredNames(decision: Served): readonly HostPattern[] {
    const names = decision.certificates.flatMap(({ file }) => {
      const knowledge = this.#parts.certificates.view.file(file);
      return knowledge?.state === "usable" ? knowledge.leaf.dnsNames : [];
    });
    return [...new Set(names)];
  }
}

/** What of a local address matters to selection: the address itself where it has a row of its own, else only its family. */
function addressClass(table: BindingTable, address: IpAddress, port: number): string {
  return indexTable(table).port(port)?.ip(address) === undefined ? `v${ipFamily(address)}` : address;
}

/** Parentheses keep what is no name apart from hosts that are called `absent` or `invalid`. */
const hostText = (name: ServerName): string => (name.kind === "name" ? name.host : `(${name.kind})`);

function refusedUnprepared(decision: Served): NameAnswer {
  const because = "its key could not be read again; see `certfarm certs list`";
  return {
    kind: "refused",
    reason: "certificate-unusable",
    alert: "internal_error",
    trail: [...decision.trail, { look: "certificate", outcome: "unusable", because }],
  };
}

/** A failure on the way to a certificate as a refusal: the client gets an alert, the journal the reason. */
function refusedFor(thrown: unknown): NameAnswer {
  const because = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    kind: "refused",
    reason: reasonOf(thrown),
    alert: "internal_error",
    trail: [{ look: "certificate", outcome: "refused", because }],
  };
}

function reasonOf(thrown: unknown): RefusalCode {
  const code = thrown instanceof FarmError ? thrown.code : undefined;
  if (code === "NODE_OVERLOADED" || code === "CERTIFICATES_OVERLOADED") return "overloaded";
  return code === "STORE_UNAVAILABLE" ? "store-unavailable" : "certificate-unusable";
}
