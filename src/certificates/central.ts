import type { Clock, Instant, Log } from "../base/index.ts";
import type { Folder } from "../store/index.ts";
import { createCentralState, DEFAULT_LIMITS, type CentralState, type CertificateLimits } from "./central-state.ts";
import type { FetchSource } from "./fetch-file.ts";
import { Follower, type FollowSettings } from "./follow.ts";
import type { KeptCopies } from "./keep.ts";
import type { KnownFile } from "./known-file.ts";
import { cancelled, Loader } from "./loader.ts";
import { noPasswords, type PasswordSource } from "./passwords.ts";
import { createAlarm, forEachBounded, pause } from "./pause.ts";
import { createReadQueue } from "./read-queue.ts";
import { ReadingPool, type WorkerSettings } from "./reading-pool.ts";
import { Scanner, type ScanSettings } from "./scan.ts";
import type { CentralCertificates, FileReport } from "./types.ts";

/** What the central certificates are made of. */
export interface CentralSettings {
  /** `certificates/` of the store. */
  readonly folder: Folder;
  readonly clock: Clock;
  readonly log: Log;
  /** @default none: files that need no password open nevertheless */
  readonly passwords?: PasswordSource;
  /** The node's own copies; without them nothing is served when the store is gone at a start. */
  readonly keep?: KeptCopies;
  readonly limits?: Partial<CertificateLimits>;
  readonly workers?: WorkerSettings;
  readonly follow?: FollowSettings;
  /** @default on, with the defaults of ScanSettings */
  readonly scan?: "off" | ScanSettings;
  /**
   * The first listing is put off until this resolves, a name is asked for that only it can tell, or LISTED_WITHIN_MS: whoever starts has
   * more urgent things to do. @default listed at once
   */
  readonly listAfter?: Promise<void>;
}

const LISTED_WITHIN_MS = 2_000;
const LOOK_WITHIN_MS = 1_000;
const LOOKS_AT_ONCE = 16;

/** Opens the central certificates. Nothing is read but the names; `listed` says when they are known. `keep` stays the caller's to close. */
export function openCentralCertificates(settings: CentralSettings): CentralCertificates {
  const { folder, clock, log, passwords = noPasswords, keep } = settings;
  const closing = new AbortController();
  const limits = { ...DEFAULT_LIMITS, ...settings.limits };
  const state = createCentralState(limits, log);
  const source: FetchSource = { folder, maxBytes: limits.maxFileBytes, keyFileOf: (file) => state.listing.keyFileOf(file) };
  const pool = new ReadingPool(settings.workers);
  // Two more than there are threads, so that the next file's bytes are there when a thread is free.
  const queue = createReadQueue((settings.workers?.count ?? 1) + 2, limits.maxWaiting);
  const parts = { state, source, pool, queue, passwords, keep, clock, log };
  const loader = new Loader(parts);
  const scanner = settings.scan === "off" ? undefined : new Scanner(parts, settings.scan);
  const touched = (file: string): void => scanner?.touch(file);
  const follower = new Follower({ state, loader, source, passwords, keep, clock, log, touched }, settings.follow);

  const urgent = createAlarm();
  let isListed = false;
  const begin = async (): Promise<void> => {
    void settings.listAfter?.then(() => urgent.ring());
    if (settings.listAfter !== undefined) await urgent.wait(LISTED_WITHIN_MS);
    await follower.begin(closing.signal);
  };
  const ready = firstListing(begin, state, keep).then(() => void (isListed = true));
  const running = ready.then(() => Promise.all([follower.run(closing.signal), scanner?.run(closing.signal)]));
  running.catch((error: unknown) => log.error("following the central certificates ended", { problem: String(error) }));

  return {
    view: state.view,
    get isListed() {
      return isListed;
    },
    listed() {
      urgent.ring();
      return ready;
    },
    look: (files) => lookFor(state, folder, files),
    get staleSince() {
      return state.staleSince;
    },
    read: (files, options) => readUnknown(state, loader, files, options?.signal),
    async refresh(files) {
      follower.lookSoon();
      await Promise.all(files.filter((file) => state.listing.has(file)).map((file) => loader.load(file, "refresh")));
    },
    prepared: (file) => loader.prepared(file),
    onChange: (listener) => state.onChange(listener),
    counts: () => ({ ...countKnown(state), scan: scanner?.progress ?? { state: "off", files: state.covering.files } }),
    reports: (limit) => reportsOf(state, limit, clock.now()),
    async close() {
      closing.abort();
      urgent.ring();
      await pool.close();
      await running.catch(() => undefined);
      await keep?.flush();
    },
  };
}

/** The folder's names, or the node's own copy of them when the store is gone. */
async function firstListing(begin: () => Promise<void>, state: CentralState, keep: KeptCopies | undefined): Promise<void> {
  await begin();
  if (state.staleSince === undefined) return keep?.retain((file) => state.listing.has(file));
  const kept = await keep?.listing().catch(() => undefined);
  if (kept === undefined || state.listing.listed > 0) return;
  await state.listing.replace(kept);
}

async function lookFor(state: CentralState, folder: Folder, files: readonly string[]): Promise<boolean> {
  const late = new AbortController();
  const looks = forEachBounded(files, LOOKS_AT_ONCE, async (file) => {
    if ((await folder.stat(file)) !== undefined) state.listing.add(file);
  });
  const done = looks.then(
    () => true,
    () => false,
  );
  const answered = await Promise.race([done, pause(LOOK_WITHIN_MS, late.signal).then(() => false)]);
  late.abort();
  return answered;
}

async function readUnknown(state: CentralState, loader: Loader, files: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) throw cancelled("Reading certificate files");
  const unread = files.filter((file) => state.listing.has(file) && state.known.peek(file) === undefined);
  if (unread.length === 0) return;
  const reading = Promise.all(unread.map((file) => loader.load(file, "demand"))).then(() => undefined);
  return signal === undefined ? reading : orAborted(reading, signal);
}

/** The promise, or CANCELLED as soon as the signal aborts; what was begun goes on for the others that wait for it. */
function orAborted(reading: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(cancelled("Reading certificate files"));
    signal.addEventListener("abort", abort, { once: true });
    reading.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function countKnown(state: CentralState): { listed: number; read: number; unusable: number } {
  let unusable = 0;
  for (const known of state.known.values()) if (known.knowledge.state === "unusable") unusable += 1;
  return { listed: state.listing.listed, read: state.known.size, unusable };
}

function reportsOf(state: CentralState, limit: number, now: Instant): readonly FileReport[] {
  const reports = [...state.known.entries()].map(([file, known]) => reportOf(file, known, now));
  const rank = (report: FileReport): number => (report.status === "ok" ? 2 : report.servingEarlierVersion ? 1 : 0);
  return reports.sort((a, b) => rank(a) - rank(b) || (a.file < b.file ? -1 : 1)).slice(0, limit);
}

/** Validity is judged anew: a file that was good when it was read may have expired since. */
function reportOf(file: string, { status, good, bad, readAt }: KnownFile, now: Instant): FileReport {
  const leaf = good === undefined ? {} : { thumbprint: good.leaf.thumbprint, notAfter: good.leaf.notAfter };
  if (bad === undefined) {
    const current = good === undefined ? status : now > good.leaf.notAfter ? "expired" : now < good.leaf.notBefore ? "not-yet-valid" : "ok";
    return { file, status: current, servingEarlierVersion: false, ...leaf, readAt };
  }
  const wrong = { problem: bad.problem, ...(bad.remedy === undefined ? {} : { remedy: bad.remedy }) };
  return { file, status, servingEarlierVersion: good !== undefined, ...wrong, ...leaf, readAt };
}
