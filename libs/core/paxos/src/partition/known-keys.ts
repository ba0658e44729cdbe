/**
 * Which keys a generation of rows may have, as a Bloom filter that grows by filters of twice the size (Almeida, Baquero, Preguiça,
 * Hutchison: Scalable Bloom Filters, 2007). Of a generation that began in this life every row passes here, so what is not known
 * is not there, and needs no reading. A key that went stays known.
 */
import type { MemoryShare } from './memory-share.js';

const FIRST_BITS = 2_048;
/** Each key sets so many, of ten that there are for it: one in a hundred that is not there is read all the same. */
const PROBES = 7;
const BITS_PER_KEY = 10;

interface Filter {
  readonly bits: Uint32Array;
  /** The number of bits, a power of two, less one. */
  readonly mask: number;
  /** Keys that it takes still. */
  room: number;
}

export class KnownKeys {
  private filters: Filter[] = [];
  private bytes = 0;

  /** `isComplete`: of a generation that has no rows yet. */
  constructor(
    private readonly share: MemoryShare,
    private isComplete: boolean,
  ) {}

  add(key: string): void {
    if (!this.isComplete) return;
    const [low, high] = hashesOf(key);
    let last = this.filters.at(-1);
    if (last !== undefined && has(last, low, high)) return;
    if (last === undefined || last.room === 0) last = this.grow();
    if (last === undefined) return;
    last.room -= 1;
    const { bits, mask } = last;
    for (let probe = 0, at = low; probe < PROBES; probe += 1, at += high) {
      const bit = (at & mask) >>> 0;
      bits[bit >>> 5]! |= 1 << (bit & 31);
    }
  }

  mayHave(key: string): boolean {
    if (!this.isComplete) return true;
    const [low, high] = hashesOf(key);
    return this.filters.some((filter) => has(filter, low, high));
  }

  /** All of them may be there, from now on. */
  forget(): void {
    this.isComplete = false;
    this.filters = [];
    this.share.add(-this.bytes);
    this.bytes = 0;
  }

  private grow(): Filter | undefined {
    const bits = FIRST_BITS * 2 ** this.filters.length;
    this.bytes += bits / 8;
    this.share.add(bits / 8);
    if (this.share.isExceededBy(this.bytes)) {
      this.forget();
      return undefined;
    }
    const filter = {
      bits: new Uint32Array(bits / 32),
      mask: bits - 1,
      room: Math.floor(bits / BITS_PER_KEY),
    };
    this.filters.push(filter);
    return filter;
  }
}

function has({ bits, mask }: Filter, low: number, high: number): boolean {
  for (let probe = 0, at = low; probe < PROBES; probe += 1, at += high) {
    const bit = (at & mask) >>> 0;
    if ((bits[bit >>> 5]! & (1 << (bit & 31))) === 0) return false;
  }
  return true;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a over the code units, mixed twice (the finalizer of MurmurHash3); the second is odd, so that its multiples differ. */
function hashesOf(key: string): readonly [number, number] {
  let hash = FNV_OFFSET;
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), FNV_PRIME);
  const low = mixed(hash);
  return [low, mixed(low ^ FNV_OFFSET) | 1];
}

function mixed(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
