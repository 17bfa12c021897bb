/** The octets of a name's length in front of it. */
const HEAD = 2;
const MAX_OCTETS = 0xff_ff;
const EMPTY = 0;
/** A slot whose name was deleted: a search goes on behind it. */
const GONE = 0xff_ff_ff_ff;
const FIRST_SLOTS = 16;
const FIRST_OCTETS = 512;

/**
 * A set of file names that costs about their octets and eight more each, outside the heap of JavaScript: 1,000,000 names are neither
 * walked by the garbage collector nor kept as a string each. An open-addressed table of offsets into one list of names. Bounds: names of at
 * most 65,535 octets, 4 GiB together.
 */
export class NameSet implements Iterable<string> {
  #octets = Buffer.alloc(FIRST_OCTETS);
  /** Offset 0 is never a name's, so that 0 can mean an empty slot. */
  #end = 1;
  #slots: Uint32Array;
  #size = 0;
  /** Slots that are not empty, deleted names included. */
  #used = 0;

  /** `expected`: how many names are to come, so that the table need not grow on the way. */
  constructor(expected = 0) {
    this.#slots = new Uint32Array(slotsFor(expected));
  }

  get size(): number {
    return this.#size;
  }

  has(name: string): boolean {
    return this.#find(encode(name)) >= 0;
  }

  /** False when it was there already. */
  add(name: string): boolean {
    const length = encode(name);
    if (this.#find(length) >= 0) return false;
    if ((this.#used + 1) * 4 > this.#slots.length * 3) this.#rebuild();
    this.#enter(this.#append(wanted, 0, length));
    this.#size += 1;
    return true;
  }

  /** False when it was not there. */
  delete(name: string): boolean {
    const slot = this.#find(encode(name));
    if (slot < 0) return false;
    this.#slots[slot] = GONE;
    this.#size -= 1;
    return true;
  }

  *[Symbol.iterator](): Generator<string> {
    for (const offset of this.#slots) {
      if (offset === EMPTY || offset === GONE) continue;
      const from = offset + HEAD;
      yield this.#octets.toString("utf8", from, from + this.#octets.readUInt16LE(offset));
    }
  }

  /** The slot of the name that was encoded last; -1 when it is not here. */
  #find(length: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash(wanted, 0, length) & mask; ; slot = (slot + 1) & mask) {
      const offset = this.#slots[slot] ?? EMPTY;
      if (offset === EMPTY) return -1;
      if (offset !== GONE && this.#isWanted(offset, length)) return slot;
    }
  }

  #isWanted(offset: number, length: number): boolean {
    const octets = this.#octets;
    if (((octets[offset] ?? 0) | ((octets[offset + 1] ?? 0) << 8)) !== length) return false;
    for (let at = 0; at < length; at += 1) if (octets[offset + HEAD + at] !== wanted[at]) return false;
    return true;
  }

  /** Copies a name to the end of the list; returns its offset. */
  #append(source: Uint8Array, from: number, length: number): number {
    const offset = this.#end;
    const end = offset + HEAD + length;
    if (end > this.#octets.length) {
      const wider = Buffer.alloc(Math.max(this.#octets.length * 2, end));
      this.#octets.copy(wider, 0, 0, offset);
      this.#octets = wider;
    }
    const octets = this.#octets;
    octets[offset] = length & 0xff;
    octets[offset + 1] = length >> 8;
    for (let at = 0; at < length; at += 1) octets[offset + HEAD + at] = source[from + at] ?? 0;
    this.#end = end;
    return offset;
  }

  #enter(offset: number): void {
    const length = this.#octets.readUInt16LE(offset);
    const mask = this.#slots.length - 1;
    let slot = hash(this.#octets, offset + HEAD, length) & mask;
    while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#slots[slot] = offset;
    this.#used += 1;
  }

  /** A table for twice the names, without what was deleted. */
  #rebuild(): void {
    const former = { slots: this.#slots, octets: this.#octets };
    this.#slots = new Uint32Array(slotsFor(this.#size + 1));
    this.#octets = Buffer.alloc(former.octets.length);
    this.#end = 1;
    this.#used = 0;
    for (const offset of former.slots) {
      if (offset !== EMPTY && offset !== GONE) this.#enter(this.#append(former.octets, offset + HEAD, former.octets.readUInt16LE(offset)));
    }
  }
}

/** A power of two; at most half of the slots are taken at first. */
const slotsFor = (names: number): number => 2 ** Math.ceil(Math.log2(Math.max(FIRST_SLOTS, names * 2)));

/** The name in question: it is compared and forgotten before the next one is encoded. */
let wanted = Buffer.alloc(1024);

/** Writes a name to `wanted`; returns its length in octets. */
function encode(name: string): number {
  if (name.length * 3 > wanted.length) wanted = Buffer.alloc(name.length * 3);
  for (let at = 0; at < name.length; at += 1) {
    const code = name.charCodeAt(at);
    if (code > 0x7f) return bounded(wanted.write(name, "utf8"));
    wanted[at] = code;
  }
  return bounded(name.length);
}

function bounded(length: number): number {
  if (length > MAX_OCTETS) throw new RangeError(`a file name of ${length} octets`);
  return length;
}

/** FNV-1a of 32 bits. */
function hash(octets: Uint8Array, from: number, length: number): number {
  let value = 0x811c9dc5;
  for (let at = from; at < from + length; at += 1) value = Math.imul(value ^ (octets[at] ?? 0), 0x01000193);
  return value >>> 0;
}
