import { FarmError } from "../../base/index.ts";
import { createBell, type Bell } from "../bell.ts";
import type { FileStat, Folder } from "../contract.ts";
import { folderPathParts } from "../key.ts";
import { changedMeanwhile, tooLarge } from "../limits.ts";
import { beginCall, type MemoryShared, unknownOutcome } from "./memory-faults.ts";

interface MemoryFile {
  readonly bytes: Uint8Array;
  readonly stat: FileStat;
}

/** The files of one folder of a memory backing. */
export interface MemoryFolderData {
  readonly files: Map<string, MemoryFile>;
  readonly bells: Set<Bell>;
  writes: number;
}

/** No files. */
export const newFolderData = (): MemoryFolderData => ({ files: new Map(), bells: new Set(), writes: 0 });

const ring = (data: MemoryFolderData): void => {
  for (const bell of data.bells) bell.ring();
};

/** A folder over a backing. */
export function createMemoryFolder(name: string, data: MemoryFolderData, shared: MemoryShared): Folder {
  const find = (verb: "stat" | "open", path: string): MemoryFile | undefined => {
    folderPathParts(path);
    beginCall(shared, { verb, target: `${name}/${path}` });
    return data.files.get(path);
  };
  return {
    async names() {
      beginCall(shared, { verb: "names", target: name });
      return [...data.files.keys()].filter((path) => !path.includes("/"));
    },
    async *walk() {
      beginCall(shared, { verb: "walk", target: name });
      for (const file of data.files.values()) yield file.stat;
    },
    stat: async (path) => find("stat", path)?.stat,
    async read(path, { maxBytes }) {
      const file = find("open", path);
      if (file === undefined) return undefined;
      if (file.stat.size > maxBytes) throw tooLarge(`${name}/${path}`, file.stat.size, maxBytes);
      return { bytes: file.bytes.slice(), stat: file.stat };
    },
    async *open(path) {
      const file = find("open", path);
      if (file === undefined) throw new FarmError("STORE_UNAVAILABLE", `${name}/${path} is not in the memory store`);
      if (file.bytes.byteLength > 0) yield file.bytes.slice();
    },
    async put(path, bytes, { expect } = {}) {
      const call = { verb: "put", target: `${name}/${path}` } as const;
      folderPathParts(path);
      const unknown = beginCall(shared, call);
      if (expect !== undefined && data.files.get(path)?.stat.stamp !== expect) throw changedMeanwhile(`${name}/${path}`);
      data.writes += 1;
      const stat: FileStat = { path, size: bytes.byteLength, mtimeMs: shared.clock.now(), stamp: `m${data.writes}` };
      data.files.set(path, { bytes: bytes.slice(), stat });
      ring(data);
      if (unknown) throw unknownOutcome(call);
      return stat;
    },
    async remove(path) {
      folderPathParts(path);
      beginCall(shared, { verb: "remove", target: `${name}/${path}` });
      if (data.files.delete(path)) ring(data);
    },
    watch: ({ signal }) => watchFiles(data, AbortSignal.any([signal, shared.closed])),
  };
}

async function* watchFiles(data: MemoryFolderData, signal: AbortSignal): AsyncGenerator<{ readonly paths?: readonly string[] }> {
  const bell = createBell();
  data.bells.add(bell);
  bell.ring();
  try {
    while (await bell.wait(signal)) yield {};
  } finally {
    data.bells.delete(bell);
  }
}
