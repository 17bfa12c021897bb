/**
 * Reads forward through octets that it does not copy. The first read past the end sets `problem`; every read after that
 * gives zeros, so that a parser checks once at its end instead of at every field.
 */
export class Cursor {
  readonly bytes: Uint8Array;
  at: number;
  end: number;
  problem: string | undefined;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end || this.problem !== undefined;
  }

  /** Remembers the first problem only: later ones follow from it. */
  fail(problem: string): void {
    this.problem ??= problem;
  }

  u8(what: string): number {
    return this.has(1, what) ? (this.bytes[this.at++] ?? 0) : 0;
  }

  u16(what: string): number {
    if (!this.has(2, what)) return 0;
    const value = ((this.bytes[this.at] ?? 0) << 8) | (this.bytes[this.at + 1] ?? 0);
    this.at += 2;
    return value;
  }

  /** Moves past `count` octets and returns where they start. */
  take(count: number, what: string): number {
    if (!this.has(count, what)) return this.at;
    const start = this.at;
    this.at += count;
    return start;
  }

  /** Sees that a vector of this length ends where the cursor's octets end. */
  fills(length: number, what: string): void {
    if (this.at + length > this.end) this.fail(`${what} runs past the end`);
    if (this.at + length < this.end) this.fail(`octets follow ${what}`);
  }

  /** A vector of 16-bit numbers that takes `size` octets and is not empty. */
  numbers(size: number, what: string): readonly number[] {
    if (size === 0 || size % 2 !== 0) this.fail(`${what} has ${size} octets`);
    const start = this.take(size, what);
    if (this.problem !== undefined) return [];
    const { bytes } = this;
    const numbers: number[] = [];
    numbers.length = size / 2; // sized at once: growing is the costliest part of reading a hello
    for (let at = 0; at < numbers.length; at++) numbers[at] = ((bytes[start + 2 * at] ?? 0) << 8) | (bytes[start + 2 * at + 1] ?? 0);
    return numbers;
  }

  /** The octets at [start, stop) as text, one character an octet. */
  text(start: number, stop: number): string {
    if (this.problem !== undefined) return "";
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, stop - start).toString("latin1");
  }

  private has(count: number, what: string): boolean {
    if (this.problem !== undefined) return false;
    if (this.at + count <= this.end) return true;
    this.fail(`${what} runs past the end`);
    return false;
  }
}
