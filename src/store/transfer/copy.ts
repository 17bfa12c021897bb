import { randomUUID } from "node:crypto";

import { FarmError, type Clock } from "../../base/index.ts";
import type { Store } from "../contract.ts";
import type { CopyStep } from "./copy-step.ts";
import { startFollowing, type Running } from "./following.ts";
import { foldersBetween, isFlat, type FolderName, type TransferEnd } from "./end.ts";
import { mirrorBlobs } from "./mirror-blobs.ts";
import { mirrorFolder, type FolderMirror } from "./mirror-folder.ts";
import { mirrorKeys } from "./mirror-keys.ts";
import { verifyCopy, type Verification } from "./verify.ts";

/** How a copy is done. */
export interface CopyOptions {
  readonly clock: Clock;
  /** Follows changes until `until` aborts; otherwise the copy ends when both are level. */
  readonly follow: boolean;
  /** Ends the following, and everything is compared once more; before both are level it ends the copy (CANCELLED), which may be run again. */
  readonly until: AbortSignal;
  readonly onStep?: (step: CopyStep) => void;
}

/** Written or removed in the place to copy to. */
export interface CopyCounts {
  readonly written: number;
  readonly removed: number;
}

/** What a copy did. */
export interface CopyReport {
  readonly farm: string;
  readonly keys: CopyCounts;
  readonly folders: Readonly<Partial<Record<FolderName, CopyCounts>>>;
  readonly blobs: { readonly written: number; readonly bytes: number; readonly isShared: boolean };
  /** Keys and files that somebody else changed in the place to copy to meanwhile: left as they are there. */
  readonly taken: readonly string[];
  /** Keys and files that the place to copy to does not take: secrets in the clear, files over 128 MiB. */
  readonly left: readonly { readonly name: string; readonly because: "not-sealed" | "too-large" }[];
  readonly verification: Verification;
  readonly ms: number;
}

/**
 * Moves a farm's data to another store while the farm runs on the first one. Values keep their digests, keys their names, the farm its id; versions and
 * cursors are each store's own. May be run again after an interruption.
 * @throws STORE_OF_ANOTHER_FARM @throws STORE_IN_USE @throws USAGE when both are one place; the errors of both stores
 */
export async function copyStore(from: TransferEnd, to: TransferEnd, options: CopyOptions): Promise<CopyReport> {
  const startMs = options.clock.monotonicMs();
  const farm = await requireSameFarm(from, to);
  await requireTwoPlaces(from.store.state, to.store.state);
  const following = new AbortController();
  const takes = to.takes ?? ((): boolean => true);
  const blobs = await mirrorBlobs(from.blobs, to.blobs);
  const keys = await mirrorKeys(from.store.state, to.store.state, { takes, beforeWrite: (value) => blobs.passFor(value) });
  const folders = new Map(
    foldersBetween(from, to).map((name): [FolderName, FolderMirror] => {
      const fits = (path: string, bytes: Uint8Array): boolean => takes(`${name}/${path}`, bytes);
      return [name, mirrorFolder(from.store.folder(name), to.store.folder(name), { isFlat: isFlat(name), takes: fits })];
    }),
  );
  const running: Running = { keys, folders, blobs };
  const tasks = startFollowing(from, running, { signal: following.signal, onStep: options.onStep });
  const level = async (): Promise<Verification> => {
    await tasks.orFail(tasks.first);
    options.onStep?.({ step: "verify" });
    await tasks.orFail(blobs.pass());
    return tasks.orFail(verifyCopy(from, to, { taken: keys.taken, unfit: keys.unfit, folders }));
  };
  try {
    let verification = await Promise.race([level(), aborted(options.until).then(cancelled)]);
    options.onStep?.({ step: "level", verification });
    if (options.follow) {
      await tasks.orFail(aborted(options.until));
      verification = await level();
    }
    return {
      farm,
      ...reportOf(running, from.blobs.location === to.blobs.location),
      verification,
      ms: options.clock.monotonicMs() - startMs,
    };
  } finally {
    following.abort();
    await tasks.ended;
  }
}

async function requireSameFarm(from: TransferEnd, to: TransferEnd): Promise<string> {
  const [one, other] = await Promise.all([from.store.farmId(), to.store.farmId()]);
  if (one === other) return one;
  throw new FarmError("STORE_OF_ANOTHER_FARM", `${to.store.location} belongs to farm ${other}, ${from.store.location} to farm ${one}`);
}

/** Two addresses may lead to one place; what is written to the one is read from the other then. */
async function requireTwoPlaces(from: Store, to: Store): Promise<void> {
  const key = `self-test/${randomUUID()}`;
  const rev = await to.write(key, new Uint8Array(), undefined);
  try {
    if ((await from.read(key)) !== undefined) throw new FarmError("USAGE", "both addresses lead to the same store");
  } finally {
    await to.remove(key, rev);
  }
}

function reportOf({ keys, folders, blobs }: Running, isShared: boolean): Pick<CopyReport, "keys" | "folders" | "blobs" | "taken" | "left"> {
  const named = [...folders].flatMap(([name, mirror]) => [...mirror.taken].map((path) => `${name}/${path}`));
  const left: CopyReport["left"][number][] = [...keys.unfit].map((key) => ({ name: `state/${key}`, because: "not-sealed" }));
  for (const [name, { unfit, tooLarge }] of folders) {
    for (const path of unfit) left.push({ name: `${name}/${path}`, because: "not-sealed" });
    for (const path of tooLarge) left.push({ name: `${name}/${path}`, because: "too-large" });
  }
  return {
    keys: { ...keys.counts },
    folders: Object.fromEntries([...folders].map(([name, { counts }]) => [name, { ...counts }])),
    blobs: { ...blobs.counts, isShared },
    taken: [...[...keys.taken].map((key) => `state/${key}`), ...named],
    left,
  };
}

function cancelled(): never {
  throw new FarmError("CANCELLED", "the copy was ended before both were level; run it again to go on");
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
