/**
 * Which keys a generation of rows may have, as a Bloom filter that grows by filters of twice the size (Almeida, Baquero, Preguiça,
 * Hutchison: Scalable Bloom Filters, 2007). Of a generation that began in this life every row passes here, so what is not known
 * is not there, and needs no reading. A key that went stays known.
 */
import { hashOf, mixed } from './key-hash.js';
import type { MemoryShare } from './memory-share.js';

/** Odd, and 2^32 by the golden ratio: its multiples lie far apart. */
const GOLDEN = 0x9e3779b1;
/** Of a filter: all bits of a key lie in one of them, so that one line of the processor's cache is all that is looked at. */
const BLOCK_WORDS = 16;
const FIRST_BLOCKS = 4;
/** Each key sets so many, of ten that there are for it. Of each full filter one in a hundred is read that is not there. */
const PROBES = 6;
const BITS_PER_KEY = 10;

interface Filter {
  readonly words: Uint32Array;
  /** The number of blocks, a power of two, less one. */
  readonly mask: number;
  /** Keys that it takes still. */
  room: number;
}

export class KnownKeys {
  private filters: Filter[] = [];
  /** The last of them, in which half of the keys are. */
  private newest: Filter | undefined;
  private bytes = 0;

  /** `isComplete`: of a generation that has no rows yet. */
  constructor(
    private readonly share: MemoryShare,
    private isComplete: boolean,
  ) {}

  add(key: string): void {
    if (!this.isComplete) return;
    const hash = hashOf(key);
    if (this.isKnown(hash)) return;
    let last = this.newest;
    if (last === undefined || last.room === 0) last = this.grow();
    if (last === undefined) return;
    last.room -= 1;
    const { words, mask } = last;
    const from = (hash & mask) * BLOCK_WORDS;
    for (let probe = 0, bits = mixed(hash); probe < PROBES; probe += 1, bits = Math.imul(bits, GOLDEN)) {
      words[from + (bits >>> 28)]! |= 1 << ((bits >>> 23) & 31);
    }
  }

  mayHave(key: string): boolean {
    if (!this.isComplete) return true;
    return this.isKnown(hashOf(key));
  }

  private isKnown(hash: number): boolean {
    const { filters, newest } = this;
    if (newest === undefined) return false;
    if (has(newest, hash)) return true;
    for (let at = filters.length - 2; at >= 0; at -= 1) if (has(filters[at]!, hash)) return true;
    return false;
  }

  /** All of them may be there, from now on. */
  forget(): void {
    this.isComplete = false;
    this.filters = [];
    this.newest = undefined;
    this.share.add(-this.bytes);
    this.bytes = 0;
  }

  private grow(): Filter | undefined {
    const blocks = FIRST_BLOCKS * 2 ** this.filters.length;
    const words = blocks * BLOCK_WORDS;
    this.bytes += words * 4;
    this.share.add(words * 4);
    if (this.share.isExceededBy(this.bytes)) {
      this.forget();
      return undefined;
    }
    const filter = {
      ...{ words: new Uint32Array(words), mask: blocks - 1 },
      room: Math.floor((words * 32) / BITS_PER_KEY),
    };
    this.filters.push(filter);
    this.newest = filter;
    return filter;
  }
}

function has({ words, mask }: Filter, hash: number): boolean {
  const from = (hash & mask) * BLOCK_WORDS;
  for (let probe = 0, bits = mixed(hash); probe < PROBES; probe += 1, bits = Math.imul(bits, GOLDEN)) {
    if ((words[from + (bits >>> 28)]! & (1 << ((bits >>> 23) & 31))) === 0) return false;
  }
  return true;
}
