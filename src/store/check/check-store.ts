import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { FarmError, systemCode, toFarmError, type Clock, type Log } from "../../base/index.ts";
import { diskError } from "../drivers/directory/disk.ts";
import { createTransport } from "../drivers/etcd/transport.ts";
import { parseEtcdAddress } from "../drivers/etcd/url.ts";
import { access, openStore } from "../open-store.ts";
import type { StoreSettings } from "../store-options.ts";
import { parseStorePlace } from "../store-place.ts";
import { openTransferEnd, type OpenedEnd } from "../transfer/open-end.ts";
import { directoryFacts } from "./directory-facts.ts";
import { etcdFacts, removeBelow } from "./etcd-facts.ts";
import type { EtcdProbe } from "./etcd-probe.ts";
import { tryStore } from "./steps.ts";
import type { CheckFact, CheckStep, StoreCheck } from "./types.ts";

interface CheckOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A part of a place that is this trial's own, and everything that is found without it. */
interface Scratch {
  readonly settings: StoreSettings;
  readonly facts: () => Promise<readonly CheckFact[]>;
  /** Leaves no trace. Never throws. */
  readonly remove: () => Promise<void>;
}

/**
 * Tries whether a farm can live in a store: in a corner of its own, which is removed again, with two handles as two processes would have. Nothing of a
 * farm that is there is touched; none need be.
 * @throws STORE_URL_INVALID @throws STORE_FILE_UNUSABLE @throws STORE_UNAVAILABLE when a directory is not there or cannot be written
 */
export async function checkStore(settings: StoreSettings, options: CheckOptions): Promise<StoreCheck> {
  const place = parseStorePlace(settings.place);
  const name = `.certfarm-check-${randomUUID()}`;
  const scratch =
    place.kind === "directory" ? await inDirectory(place.root, name, settings, options) : await inEtcd(place.url, name, settings, options);
  const opened: OpenedEnd[] = [];
  try {
    const steps = await trySteps(scratch.settings, options, opened);
    if (options.signal.aborted) throw new FarmError("CANCELLED", "the check was cancelled");
    // What cannot be entered is not asked for its farm as well, which would take as long again.
    const farm: FarmThere = steps[0]?.outcome === "wrong" ? { facts: [] } : await farmThere(settings, options);
    const facts = [...farm.facts, ...(await scratch.facts())];
    const blobs = opened[0]?.blobs.location ?? "nowhere";
    return {
      place: settings.place,
      blobs: settings.blobs ?? (place.kind === "directory" ? place.root : blobs),
      ...(farm.id === undefined ? {} : { farm: farm.id }),
      steps,
      facts,
      outcome: outcomeOf(steps, facts),
    };
  } finally {
    await Promise.allSettled(opened.map((end) => end.close()));
    await scratch.remove();
  }
}

async function trySteps(settings: StoreSettings, options: CheckOptions, opened: OpenedEnd[]): Promise<readonly CheckStep[]> {
  const startMs = options.clock.monotonicMs();
  const taken = (): number => options.clock.monotonicMs() - startMs;
  try {
    const one = await openTransferEnd(settings, { ...options, create: true });
    opened.push(one);
    const two = await openTransferEnd(settings, { ...options, farm: await one.store.farmId() });
    opened.push(two);
    const open: CheckStep = { name: "open", outcome: "ok", ms: taken() };
    return [open, ...(await tryStore({ one, two, ...options }))];
  } catch (thrown) {
    const error = toFarmError(thrown, "STORE_UNAVAILABLE");
    return [{ name: "open", outcome: "wrong", ms: taken(), note: error.message, error }];
  }
}

interface FarmThere {
  readonly id?: string;
  readonly facts: readonly CheckFact[];
}

/** Whose store it is already. */
async function farmThere(settings: StoreSettings, options: CheckOptions): Promise<FarmThere> {
  const name = "farm";
  try {
    const store = await openStore(settings, options);
    try {
      const id = await store.farmId();
      return { id, facts: [{ name, outcome: "ok", text: id }] };
    } finally {
      await store.close();
    }
  } catch (thrown) {
    const { code, message } = toFarmError(thrown, "STORE_UNAVAILABLE");
    // Everything else worked a moment before: nobody has founded one.
    if (code === "STORE_UNAVAILABLE") return { facts: [{ name, outcome: "note", text: "none is here yet" }] };
    return { facts: [{ name, outcome: "wrong", text: message }] };
  }
}

function outcomeOf(steps: readonly CheckStep[], facts: readonly CheckFact[]): StoreCheck["outcome"] {
  if ([...steps, ...facts].some(({ outcome }) => outcome === "wrong")) return "wrong";
  return steps.some(({ outcome }) => outcome === "slow") ? "slow" : "ok";
}

async function inDirectory(root: string, name: string, settings: StoreSettings, { clock }: CheckOptions): Promise<Scratch> {
  const path = join(root, name);
  const work = join(path, "facts");
  try {
    await mkdir(path, 0o700);
    await mkdir(work);
  } catch (error) {
    if (systemCode(error) === "ENOENT")
      throw new FarmError("STORE_UNAVAILABLE", `${root} is not there; make the folder, or mount the share`);
    throw diskError(error, `making a folder in ${root}`);
  }
  const blobs = settings.blobs === undefined ? {} : blobsIn(settings.blobs, name);
  return {
    settings: { ...settings, place: path, ...blobs },
    facts: () => directoryFacts(work, clock),
    async remove() {
      await removeFolders(path, blobs.blobs);
    },
  };
}

async function inEtcd(url: string, name: string, settings: StoreSettings, { log, clock }: CheckOptions): Promise<Scratch> {
  const address = parseEtcdAddress(url);
  const { user, tls } = await access(settings, parseUser(settings));
  const closing = new AbortController();
  const transport = createTransport(address.secure, tls);
  const probe: EtcdProbe = { address, transport, user, tls, clock, log, closed: closing.signal };
  const blobs = settings.blobs === undefined ? {} : blobsIn(settings.blobs, name);
  const prefix = `${address.prefix}/${name.slice(1)}`;
  return {
    settings: { ...settings, place: settings.place.replace(/^(etcds?:\/\/[^/]+).*$/s, `$1/${prefix}`), ...blobs },
    facts: () => etcdFacts(probe),
    async remove() {
      await removeBelow(probe, prefix).catch(() => undefined);
      await removeFolders(blobs.blobs);
      closing.abort();
      transport.close();
    },
  };
}

function parseUser({ place }: StoreSettings): string | undefined {
  const parsed = parseStorePlace(place);
  return parsed.kind === "etcd" ? parsed.user : undefined;
}

/** In a bucket a blob of the trial is told apart by its random octets. */
const blobsIn = (blobs: string, name: string): { readonly blobs?: string } => ({
  blobs: blobs.startsWith("s3:") ? blobs : join(blobs, name),
});

async function removeFolders(...paths: readonly (string | undefined)[]): Promise<void> {
  for (const path of paths) {
    if (path !== undefined && !path.startsWith("s3:"))
      await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  }
}
