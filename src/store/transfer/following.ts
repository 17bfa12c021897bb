import { toFarmError } from "../../base/index.ts";
import { pause } from "../bell.ts";
import type { CopyStep } from "./copy-step.ts";
import type { FolderName, TransferEnd } from "./end.ts";
import type { BlobMirror } from "./mirror-blobs.ts";
import type { FolderMirror } from "./mirror-folder.ts";
import type { KeyMirror } from "./mirror-keys.ts";

/** The mirrors of one copy. */
export interface Running {
  readonly keys: KeyMirror;
  readonly folders: ReadonlyMap<FolderName, FolderMirror>;
  readonly blobs: BlobMirror;
}

/** The work that carries changes over until its signal aborts. */
export interface Following {
  /** Resolves when everything was carried over once. */
  readonly first: Promise<void>;
  /** What the promise gives, unless the following failed before. */
  orFail<T>(promise: Promise<T>): Promise<T>;
  /** Never rejects. */
  readonly ended: Promise<void>;
}

/** A store that is away for longer ends the copy. */
const MAX_RETRIES = 30;
const RETRY_MS = 2_000;

interface Settings {
  readonly signal: AbortSignal;
  readonly onStep: ((step: CopyStep) => void) | undefined;
}

/** Carries changes over: keys as they come, each folder when it says so. Blobs come before keys. */
export function startFollowing(from: TransferEnd, running: Running, { signal, onStep }: Settings): Following {
  const keys = begin(async (onFirst) => {
    onStep?.({ step: "blobs" });
    await persist(signal, () => running.blobs.pass());
    onStep?.({ step: "keys" });
    for await (const change of from.store.state.watch("", { signal })) {
      await running.keys.apply(change);
      if (change.type === "reset") onFirst();
    }
  });
  const folders = [...running.folders].map(([name, mirror]) =>
    begin(async (onFirst) => {
      onStep?.({ step: "folder", folder: name });
      const folder = from.store.folder(name);
      for await (const { paths } of folder.watch({ signal })) {
        // Elsewhere the paths are a hint, and others may have changed as well.
        await persist(signal, () => mirror.pass(folder.tellsAll === true ? paths : undefined));
        onFirst();
      }
    }),
  );
  const all = [keys, ...folders];
  const failure = Promise.all(all.map(({ done }) => done)).then(() => new Promise<never>(() => undefined));
  failure.catch(() => undefined); // told to whoever waits
  return {
    first: Promise.all(all.map(({ first }) => first)).then(() => undefined),
    orFail: (promise) => Promise.race([promise, failure]),
    ended: Promise.allSettled(all.map(({ done }) => done)).then(() => undefined),
  };
}

function begin(work: (onFirst: () => void) => Promise<void>): { readonly first: Promise<void>; readonly done: Promise<void> } {
  let onFirst: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (onFirst = resolve));
  return { first, done: work(onFirst) };
}

/** Does it again while a store is away. */
async function persist(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) return;
      if (tries === MAX_RETRIES || toFarmError(error).code !== "STORE_UNAVAILABLE") throw error;
    }
    await pause(RETRY_MS, signal);
  }
}
