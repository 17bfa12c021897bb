import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { systemCode, toFarmError, type Log } from "../base/index.ts";
import { seal, unseal } from "../secrets/index.ts";
import { writeFileAtomic } from "./atomic-file.ts";
import { corrupt, decodeFields, type Fields } from "./state-json.ts";

/** Where a node keeps its copy of the farm's ticket keys, and the node's own key that it is sealed with. */
export interface TicketCopyPlace {
  readonly dataDir: string;
  readonly ownKey: Uint8Array;
}

/** A copy to write: the ids stand before the sealed rest in the clear, for people. */
export interface NewTicketCopy {
  readonly log: Log;
  readonly current: string;
  readonly next: string;
  readonly body: Uint8Array;
}

const FILE = "ticket-keys.json";
const MAX_HEADER = 512;

/** Keeps a copy. That it cannot be kept is told, and stops nothing. */
export async function writeTicketCopy(place: TicketCopyPlace | undefined, copy: NewTicketCopy): Promise<void> {
  if (place === undefined) return;
  const path = join(place.dataDir, FILE);
  const header = JSON.stringify({ current: copy.current, next: copy.next });
  try {
    await writeFileAtomic(path, Buffer.concat([Buffer.from(`${header}\n`), seal(place.ownKey, copy.body, header)]), 0o600);
  } catch (error) {
    copy.log.warn("the ticket keys cannot be kept on this node's disk", { path, problem: toFarmError(error).message });
  }
}

/** The copy of an earlier run. A small file, read once at start; what is no good, or not sealed, is removed. */
export function readTicketCopy<T>(
  place: TicketCopyPlace | undefined,
  parts: { readonly log: Log; readonly decode: (fields: Fields, where: string) => T },
): T | undefined {
  if (place === undefined) return undefined;
  const path = join(place.dataDir, FILE);
  try {
    return parts.decode(decodeFields(openCopy(place.ownKey, readFileSync(path), path), path), path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    parts.log.warn("the copy of the ticket keys cannot be used", { path, problem: toFarmError(error).message });
    rmSync(path, { force: true });
    return undefined;
  }
}

function openCopy(ownKey: Uint8Array, bytes: Buffer, path: string): Uint8Array {
  const end = bytes.subarray(0, MAX_HEADER).indexOf(10);
  if (end < 0) throw corrupt(path, "it is not sealed");
  const plain = unseal(ownKey, bytes.subarray(end + 1), bytes.toString("utf8", 0, end));
  if (plain === undefined) throw corrupt(path, "it was changed, or sealed with another node's key");
  return plain;
}
