import type { Cell } from "./types.ts";

/** How much a cell should catch the eye. */
export type Mark = "good" | "bad" | "warn" | "differs" | "none";

/** A cell in one or two words. */
export interface CellFace {
  readonly mark: Mark;
  /** Empty for good cells. */
  readonly word: string;
}

const GOOD: CellFace = { mark: "good", word: "" };
const NONE: CellFace = { mark: "none", word: "" };

/** How a handshake ended, by the beginning of what `describeOutcome` of the doctor says. */
const ENDINGS: readonly (readonly [string, string])[] = [
  ["connection refused", "refused"],
  ["no answer to the connection", "no answer"],
  ["no answer to the ClientHello", "silent"],
  ["reset after", "reset"],
  ["closed after", "closed"],
  ["alert", "alert"],
  ["answers with plain HTTP", "plain HTTP"],
];

/** What is to be seen of a cell at a glance; the whole text stands in the findings, in JSON and on the page. */
export function cellFace(cell: Cell): CellFace {
  switch (cell.state) {
    case "ok":
      return GOOD;
    case "not-looked":
      return NONE;
    case "no-connection":
      return { mark: "bad", word: ending(cell.text, "unreachable") };
    case "no-handshake":
      return { mark: "bad", word: ending(cell.text, "no TLS") };
    case "wrong-name":
      return { mark: "bad", word: "wrong name" };
    case "validity":
      return { mark: "bad", word: cell.text.includes("NOT_YET_VALID") ? "not yet valid" : "expired" };
    case "untrusted":
      return { mark: "warn", word: "untrusted" };
    case "differs":
      return { mark: "differs", word: "differs" };
    case "request-failed":
      return { mark: "warn", word: cell.status === undefined ? "no HTTP" : `HTTP ${cell.status}` };
  }
}

const ending = (text: string, other: string): string => ENDINGS.find(([start]) => text.startsWith(start))?.[1] ?? other;
