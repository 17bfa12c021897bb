/** Something in applicationHost.config that farm.yaml has no counterpart for, or that a person has to do. */
export interface ImportNote {
  /** The line of applicationHost.config. */
  readonly line: number;
  readonly text: string;
}

/** Notes are told in the order of the lines; more than these nobody reads. */
const MAX_NOTES = 20_000;

/** Collects notes. */
export interface ImportNotes {
  readonly add: (line: number, text: string) => void;
  readonly all: () => readonly ImportNote[];
}

/** An empty collection. */
export function createImportNotes(): ImportNotes {
  const notes: ImportNote[] = [];
  let more = 0;
  return {
    add: (line, text) => {
      if (notes.length < MAX_NOTES) notes.push({ line, text });
      else more += 1;
    },
    all: () => {
      const sorted = notes.toSorted((a, b) => a.line - b.line);
      return more === 0 ? sorted : [...sorted, { line: sorted.at(-1)?.line ?? 1, text: `${more} more notes are left out` }];
    },
  };
}
