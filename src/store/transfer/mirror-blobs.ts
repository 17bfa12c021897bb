import { toFarmError } from "../../base/index.ts";
import type { BlobPlace } from "../blobs/place.ts";
import { inLanes } from "./in-lanes.ts";

/** Keeps `to` having every blob that `from` has. */
export interface BlobMirror {
  /** Copies what is missing. */
  pass(): Promise<void>;
  /** A pass, if this value names a blob that is missing: blobs come before the keys that name them. */
  passFor(value: Uint8Array): Promise<void>;
  /** Digests that are there. */
  readonly present: ReadonlySet<string>;
  readonly counts: { written: number; bytes: number };
}

const LANES = 4;
const DIGEST = /sha256:[0-9a-f]{64}/g;

/** Blobs are immutable: what is there under its digest is right, or was refused when it was written. Nothing is removed. */
export async function mirrorBlobs(from: BlobPlace, to: BlobPlace): Promise<BlobMirror> {
  const present = new Set<string>();
  const isOne = from.location === to.location;
  if (!isOne) for await (const { digest } of to.list()) present.add(digest);
  const counts = { written: 0, bytes: 0 };
  let passing: Promise<void> | undefined;

  async function copy({ digest, size }: { readonly digest: string; readonly size: number }): Promise<void> {
    if (present.has(digest)) return;
    try {
      await to.put(from.get(digest));
    } catch (error) {
      // Swept away since it was listed: then no key names it.
      if (toFarmError(error).code === "STORE_UNAVAILABLE" && !(await from.has(digest))) return;
      throw error;
    }
    present.add(digest);
    counts.written += 1;
    counts.bytes += size;
  }
  const pass = async (): Promise<void> => {
    if (!isOne) await inLanes(from.list(), LANES, copy);
  };
  return {
    present,
    counts,
    pass,
    async passFor(value) {
      if (isOne) return;
      const named = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1").match(DIGEST) ?? [];
      if (named.every((digest) => present.has(digest))) return;
      // A name that is no blob's (a thumbprint in a report) must not cost a listing each time.
      const missing = await Promise.all(named.filter((digest) => !present.has(digest)).map((digest) => from.has(digest)));
      if (missing.includes(true)) await (passing ??= pass().finally(() => (passing = undefined)));
    },
  };
}
