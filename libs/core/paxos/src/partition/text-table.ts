/**
 * Numbers by a text, in the order in which they came; the first are dropped first. Without an object for any of them: all of it
 * is in a few arrays outside of the heap. A map of a hundred thousand short-lived objects and their texts costs the
 * collector, which follows, copies and sweeps them, several times what it costs to ask it.
 *
 * Open addressing with linear probing; what was dropped stays in the index until it is made anew, which happens whenever the
 * room for slots is used up.
 */
const SLOTS_MIN = 16;
/** So many places of the index for each slot. */
const SPARSENESS = 2;
/** Room that is made, relative to what is there then: it is made anew after half as many more. */
const ROOM = 1.5;
/** What the arrays take at most on the average, relative to what is in use: powers of two, and what was dropped. */
const SLACK = 2;
const NOWHERE = -1;

/** FNV-1a, over UTF-16 code units. */
const HASH_START = 0x811c9dc5;
const HASH_FACTOR = 0x01000193;

export class TextTable {
  /** Slots that hold something are `first` up to, but without, `end`. */
  private first!: number;
  private end!: number;
  private numbers!: Float64Array;
  private hashes!: Uint32Array;
  /** Where the text of each slot begins; it ends where the next begins. */
  private starts!: Uint32Array;
  private characters!: Uint16Array;
  /** A slot and one; 0 is nothing. */
  private index!: Uint32Array;

  /** @param width how many numbers belong to a text */
  constructor(private readonly width: number) {
    this.clear();
  }

  get size(): number {
    return this.end - this.first;
  }

  /** What that takes in memory, in bytes, about. */
  get bytes(): number {
    const { numbers, hashes, starts, index, characters } = this;
    const ofSlot =
      this.width * numbers.BYTES_PER_ELEMENT +
      hashes.BYTES_PER_ELEMENT +
      starts.BYTES_PER_ELEMENT +
      SPARSENESS * index.BYTES_PER_ELEMENT;
    const ofTexts = (starts[this.end]! - starts[this.first]!) * characters.BYTES_PER_ELEMENT;
    return SLACK * (this.size * ofSlot + ofTexts);
  }

  /** The slot of a text, which holds until something is added, or -1. */
  find(text: string): number {
    return this.size === 0 ? NOWHERE : this.findHashed(text, hashOf(text));
  }

  /** False, and nothing is changed, where the text is there. */
  add(text: string, ...numbers: readonly number[]): boolean {
    const hash = hashOf(text);
    if (this.size > 0 && this.findHashed(text, hash) !== NOWHERE) return false;
    if (this.end === this.hashes.length) this.makeAnew();
    const slot = this.end;
    const start = this.starts[slot]!;
    if (start + text.length > this.characters.length) this.growCharacters(start + text.length);
    for (let i = 0; i < text.length; i += 1) this.characters[start + i] = text.charCodeAt(i);
    this.starts[slot + 1] = start + text.length;
    for (let column = 0; column < this.width; column += 1) {
      this.numbers[slot * this.width + column] = numbers[column]!;
    }
    this.hashes[slot] = hash;
    this.end = slot + 1;
    this.enter(slot);
    return true;
  }

  number(slot: number, column: number): number {
    return this.numbers[slot * this.width + column]!;
  }

  text(slot: number): string {
    return String.fromCharCode(...this.characters.subarray(this.starts[slot], this.starts[slot + 1]));
  }

  /** Slots in order. Nothing may be added meanwhile. */
  *slots(): Generator<number> {
    for (let slot = this.first; slot < this.end; slot += 1) yield slot;
  }

  /** The slot of what came first, or -1. */
  get firstSlot(): number {
    return this.size === 0 ? NOWHERE : this.first;
  }

  dropFirst(): void {
    if (this.size > 0) this.first += 1;
  }

  /** Keeps only the slots of which that is true. */
  keep(isKept: (slot: number) => boolean): void {
    const { width, numbers, hashes, starts, characters } = this;
    let to = this.first;
    for (let from = this.first; from < this.end; from += 1) {
      if (!isKept(from)) continue;
      const [start, end] = [starts[from]!, starts[from + 1]!];
      numbers.copyWithin(to * width, from * width, (from + 1) * width);
      characters.copyWithin(starts[to]!, start, end);
      starts[to + 1] = starts[to]! + end - start;
      hashes[to] = hashes[from]!;
      to += 1;
    }
    this.end = to;
    this.reindex();
  }

  clear(): void {
    this.allocate(0, 0);
  }

  private findHashed(text: string, hash: number): number {
    const { index, hashes } = this;
    const mask = index.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = index[at]!;
      if (entry === 0) return NOWHERE;
      const slot = entry - 1;
      if (slot >= this.first && hashes[slot] === hash && this.isTextOf(slot, text)) return slot;
    }
  }

  private isTextOf(slot: number, text: string): boolean {
    const start = this.starts[slot]!;
    if (this.starts[slot + 1]! - start !== text.length) return false;
    for (let i = 0; i < text.length; i += 1) {
      if (this.characters[start + i] !== text.charCodeAt(i)) return false;
    }
    return true;
  }

  private enter(slot: number): void {
    const { index } = this;
    const mask = index.length - 1;
    let at = this.hashes[slot]! & mask;
    while (index[at] !== 0) at = (at + 1) & mask;
    index[at] = slot + 1;
  }

  private reindex(): void {
    this.index.fill(0);
    for (let slot = this.first; slot < this.end; slot += 1) this.enter(slot);
  }

  private growCharacters(length: number): void {
    const grown = new Uint16Array(Math.ceil(length * ROOM));
    grown.set(this.characters.subarray(0, this.starts[this.end]));
    this.characters = grown;
  }

  /** From the first slot on, in arrays with room for more. */
  private makeAnew(): void {
    const { width, first, end, numbers, hashes, starts, characters } = this;
    const [start, size] = [starts[first]!, end - first];
    const length = starts[end]! - start;
    this.allocate(powerOfTwoFrom(Math.max(SLOTS_MIN, size * ROOM)), Math.ceil(length * ROOM));
    this.numbers.set(numbers.subarray(first * width, end * width));
    this.hashes.set(hashes.subarray(first, end));
    this.characters.set(characters.subarray(start, start + length));
    for (let slot = 0; slot <= size; slot += 1) this.starts[slot] = starts[first + slot]! - start;
    this.end = size;
    this.reindex();
  }

  private allocate(slots: number, characters: number): void {
    this.numbers = new Float64Array(slots * this.width);
    this.hashes = new Uint32Array(slots);
    this.starts = new Uint32Array(slots + 1);
    this.characters = new Uint16Array(characters);
    this.index = new Uint32Array(slots * SPARSENESS);
    this.first = 0;
    this.end = 0;
  }
}

function powerOfTwoFrom(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}

function hashOf(text: string): number {
  let hash = HASH_START;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), HASH_FACTOR);
  return hash >>> 0;
}
