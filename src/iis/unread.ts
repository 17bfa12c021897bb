import { MAX_SHOWN, MAX_UNREAD } from "./limits.ts";

/** A line that could not be read: its number from 1, and its text, cut. */
export interface UnreadLine {
  readonly line: number;
  readonly text: string;
}

/** Collects what could not be read, bounded: the last entry counts what is not listed. */
export class UnreadLines {
  readonly #lines: UnreadLine[] = [];
  #more = 0;
  #firstMore = 0;

  add(line: number, text: string): void {
    if (this.#lines.length < MAX_UNREAD) {
      const cut = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
      this.#lines.push({ line, text: Buffer.from(cut, "utf16le").toString("utf16le") }); // a copy: a slice would keep the whole file
      return;
    }
    if (this.#more === 0) this.#firstMore = line;
    this.#more += 1;
  }

  list(): readonly UnreadLine[] {
    if (this.#more === 0) return this.#lines;
    return [...this.#lines, { line: this.#firstMore, text: `… and ${this.#more} more lines that could not be read` }];
  }
}
