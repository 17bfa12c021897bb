/** Parts of a text that are shorter are always copies. */
const SHORT = 13;

/**
 * Equal texts as one string that stands alone. A part of a large text keeps all of it in memory, and a table says the same few
 * labels and values thousands of times.
 */
export class TextPool {
  readonly #texts = new Map<string, string>();

  get(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const own = text.length < SHORT ? text : Buffer.from(text, "utf16le").toString("utf16le");
    this.#texts.set(own, own);
    return own;
  }
}
