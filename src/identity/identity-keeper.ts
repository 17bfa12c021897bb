import { X509Certificate } from "node:crypto";

import { FarmError, instant, toFarmError, type Clock, type Instant, type Log } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { openIdentity, saveIdentity } from "./identity-folder.ts";
import { keyPemOf, makeIdentityKey } from "./identity-key.ts";
import type { Signing } from "./signing.ts";
import { openTrustFollower, type TrustFollower } from "./trust-follower.ts";
import type { Identity, VerifiedIdentity } from "./types.ts";
import { isIssuedBy, splitAuthorities, verifyIdentity } from "./verify-identity.ts";

/** What an authority answers to a certification request. */
export interface IssuedIdentity {
  readonly certificatePem: string;
  /** What is trusted from now on. */
  readonly authorityPem: string;
}

/** Asks the farm's authority for the next certificate, as who the process is now. @throws any FarmError: it is asked again later */
export type AskAuthority = (as: Signing, requestPem: string, signal: AbortSignal) => Promise<IssuedIdentity>;

/** How an identity stands, for status and evidence. */
export interface IdentityState {
  readonly role: Identity["role"];
  readonly name: string;
  readonly serial: string;
  readonly notAfter: Instant;
  /** When the next one is asked for. */
  readonly renewAt: Instant;
  readonly revoked: boolean;
  /** The last attempts failed. */
  readonly renewalFailing?: { readonly since: Instant; readonly problem: string };
}

/** A process's identity while it runs: renewed, with the farm's authorities and revocations followed. */
export interface IdentityKeeper extends Signing {
  state(): IdentityState;
  /** Called when the identity, the authorities or the revocations changed. Returns how to stop that. */
  onChange(listener: () => void): () => void;
  /** Renews now when it is time to. Never rejects: a failure is in `state`. */
  renewIfDue(): Promise<void>;
  /** Looks at the store's records now. Never rejects. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** What a keeper works with. */
export interface KeeperParts {
  readonly dataDir: string;
  readonly state: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent = nobody can be asked: the state says so when it is time. */
  readonly ask?: AskAuthority;
}

const CHECK_MS = 60_000;
const FIRST_RETRY_MS = 60_000;
const LAST_RETRY_MS = 30 * 60_000;
const ASK_MS = 30_000;

/** Keeps the identity of a process's folder; undefined = it has none, and the farm is one of a single machine. @throws IDENTITY_FOLDER_UNUSABLE */
export async function openIdentityKeeper(parts: KeeperParts): Promise<IdentityKeeper | undefined> {
  const identity = await openIdentity(parts.dataDir);
  if (identity === undefined) return undefined;
  const keeper = new Keeper(parts, identity);
  await keeper.start();
  return keeper;
}

const renewalFailed = (problem: string): FarmError => new FarmError("IDENTITY_RENEWAL_FAILED", problem);

/** Why a good certificate is not the one that was asked for. */
function answerProblem(issued: IssuedIdentity, verdict: VerifiedIdentity, { role, name }: Identity): string | undefined {
  if (verdict.role !== role || verdict.name !== name) return `the authority answered with the identity of ${verdict.role} ${verdict.name}`;
  const [present] = splitAuthorities(issued.authorityPem);
  const isPresent = present !== undefined && isIssuedBy(new X509Certificate(issued.certificatePem), present);
  return isPresent ? undefined : "the admin API still signs with the former authority: start it again";
}

class Keeper implements IdentityKeeper {
  readonly #parts: KeeperParts;
  readonly #ending = new AbortController();
  readonly #listeners = new Set<() => void>();
  #identity: Identity;
  #certificate: X509Certificate;
  #follower: TrustFollower | undefined;
  #following: Promise<void> = Promise.resolve();
  #work: Promise<void> = Promise.resolve();
  #failing: { since: Instant; problem: string; retryAtMs: number; delayMs: number } | undefined;

  constructor(parts: KeeperParts, identity: Identity) {
    this.#parts = parts;
    this.#identity = identity;
    this.#certificate = new X509Certificate(identity.certificatePem);
  }

  async start(): Promise<void> {
    const { dataDir, state, log } = this.#parts;
    this.#follower = await openTrustFollower({
      dataDir,
      state,
      log,
      trust: () => this.#identity,
      adopt: (authorityPem) => this.#adopt(authorityPem),
      changed: () => this.#tell(),
    });
    this.#following = this.#follower.follow(this.#ending.signal);
    const timer = setInterval(() => void this.renewIfDue(), CHECK_MS);
    timer.unref();
    this.#ending.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
    void this.renewIfDue();
  }

  identity(): Identity {
    return this.#identity;
  }

  get revoked(): ReadonlySet<string> {
    return this.#follower?.revoked ?? new Set();
  }

  state(): IdentityState {
    const { role, name } = this.#identity;
    const { serialNumber, validTo } = this.#certificate;
    const failing = this.#failing;
    return {
      role,
      name,
      serial: serialNumber.toUpperCase(),
      notAfter: instant(Date.parse(validTo)),
      renewAt: this.#renewAt(),
      revoked: this.revoked.has(serialNumber.toUpperCase()),
      ...(failing === undefined ? {} : { renewalFailing: { since: failing.since, problem: failing.problem } }),
    };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  renewIfDue(): Promise<void> {
    return this.#queue(async () => {
      const { clock } = this.#parts;
      if (this.#ending.signal.aborted || clock.now() < this.#renewAt()) return;
      if (this.#failing !== undefined && clock.monotonicMs() < this.#failing.retryAtMs) return;
      await this.#renew().catch((error: unknown) => this.#failed(toFarmError(error)));
    });
  }

  async look(): Promise<void> {
    await this.#follower?.look();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#following;
    await this.#work;
  }

  /** At two thirds of the certificate's life; at once when another authority has taken over. */
  #renewAt(): Instant {
    const [present] = splitAuthorities(this.#identity.authorityPem);
    const [from, to] = [this.#certificate.validFrom, this.#certificate.validTo].map((text) => Date.parse(text));
    if (from === undefined || to === undefined || (present !== undefined && !isIssuedBy(this.#certificate, present))) return instant(0);
    return instant(from + ((to - from) * 2) / 3);
  }

  async #renew(): Promise<void> {
    const { ask, dataDir, log } = this.#parts;
    const { role, name, farmId } = this.#identity;
    if (ask === undefined) throw renewalFailed("no admin API is known that could renew it; join again");
    const { keyPem, requestPem } = await makeIdentityKey(`${role} ${name}`);
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(ASK_MS)]);
    const issued = await ask(this, requestPem, signal);
    const verdict = verifyIdentity(issued.certificatePem, { ...issued, farmId, revoked: this.revoked, now: this.#parts.clock.now() });
    if ("reason" in verdict) throw renewalFailed(`what the authority answered is not believed: ${verdict.problem}`);
    const problem = answerProblem(issued, verdict, this.#identity);
    if (problem !== undefined) throw renewalFailed(problem);
    await saveIdentity(dataDir, { ...issued, keyPem });
    this.#failing = undefined;
    await this.#use();
    log.info("the identity was renewed", { role, name, serial: verdict.serial, notAfter: new Date(verdict.notAfter).toISOString() });
  }

  #failed({ code, message }: FarmError): void {
    const { clock, log } = this.#parts;
    const delayMs = Math.min(LAST_RETRY_MS, (this.#failing?.delayMs ?? FIRST_RETRY_MS / 2) * 2);
    const { name, notAfter } = this.state();
    this.#failing = { since: this.#failing?.since ?? clock.now(), problem: message, retryAtMs: clock.monotonicMs() + delayMs, delayMs };
    log.warn("the identity could not be renewed", { name, code, problem: message, expires: new Date(notAfter).toISOString() });
    this.#tell();
  }

  /** Takes what the folder holds now. */
  async #use(): Promise<void> {
    const identity = await openIdentity(this.#parts.dataDir);
    if (identity === undefined) return;
    this.#identity = identity;
    this.#certificate = new X509Certificate(identity.certificatePem);
    this.#tell();
  }

  #adopt(authorityPem: string): Promise<void> {
    return this.#queue(async () => {
      // Another process, such as `certfarm init`, may have replaced it meanwhile.
      const { certificatePem, key } = (await openIdentity(this.#parts.dataDir)) ?? this.#identity;
      await saveIdentity(this.#parts.dataDir, { certificatePem, keyPem: keyPemOf(key), authorityPem });
      await this.#use();
    });
  }

  /** One change of the folder at a time. */
  #queue(task: () => Promise<void>): Promise<void> {
    const done = this.#work.then(task);
    this.#work = done.catch(() => undefined); // the caller has it
    return done;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
