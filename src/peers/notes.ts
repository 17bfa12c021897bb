import { LIMITS } from "./limits.ts";
import type { PeerNote } from "./types.ts";

/** Collects notes, each once; what is over the limit is counted in a last one. */
export interface Notes {
  readonly add: (path: string, line: number, text: string) => void;
  readonly all: () => readonly PeerNote[];
}

/** An empty collection. */
export function createNotes(): Notes {
  const notes = new Map<string, PeerNote>();
  let more = 0;
  return {
    add: (path, line, text) => {
      const source = `${path}:${line}`;
      const key = `${source} ${text}`;
      if (notes.size >= LIMITS.notes && !notes.has(key)) more += 1;
      else notes.set(key, { source, text });
    },
    all: () => (more === 0 ? [...notes.values()] : [...notes.values(), { source: "", text: `${more} more like these` }]),
  };
}
