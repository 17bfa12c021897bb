/** The first octets of a connection, put together as they come; doubling keeps many small pieces cheap. */
export class HeadBuffer {
  #bytes: Buffer;
  #length: number;
  #shared = true;

  constructor(first: Buffer) {
    this.#bytes = first;
    this.#length = first.length;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  append(piece: Buffer): void {
    const needed = this.#length + piece.length;
    if (this.#shared || needed > this.#bytes.length) {
      const wider = Buffer.allocUnsafe(Math.max(2 * this.#length, needed, 1024));
      this.#bytes.copy(wider, 0, 0, this.#length);
      this.#bytes = wider;
      this.#shared = false;
    }
    piece.copy(this.#bytes, this.#length);
    this.#length = needed;
  }
}
