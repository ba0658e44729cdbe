/**
 * The keys in order, with the states of each: a sorted list of sorted chunks, which is a B+-tree of two levels. A chunk is
 * short enough that an insertion moves little, and the list of chunks is short enough to be searched and summed: at a
 * million keys there are some thousands of either.
 *
 * A snapshot may be read while the store goes on (`capture`). So a chunk that was left (split, merged, or rid of dead keys) is
 * never changed again, and an entry loses states only by being replaced; that it gets more is of no account.
 */
import { compareKeys } from '@ringleader/primitives';
import { type KeyRange, isBeforeEnd } from './key-range.js';
import { type State, isLive } from './key-values.js';

/** All kept states of a key, ascending in `modRevision`, at least one. */
export interface Entry {
  readonly key: string;
  states: State[];
}

const CHUNK_ENTRIES_MAX = 512;

interface Chunk {
  readonly entries: Entry[];
  /** How many of them exist now. */
  live: number;
}

export const isLiveNow = (entry: Entry): boolean => isLive(entry.states.at(-1));

export class SortedEntries {
  #chunks: Chunk[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get chunkCount(): number {
    return this.#chunks.length;
  }

  /** Of a key that is not here. */
  add(entry: Entry): void {
    this.#size += 1;
    const live = isLiveNow(entry) ? 1 : 0;
    const at = this.#chunkAt(entry.key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push({ entries: [entry], live });
      return;
    }
    const { entries } = chunk;
    const place = lowerBound(entries, entry.key);
    if (entries.length < CHUNK_ENTRIES_MAX) {
      if (place === entries.length) entries.push(entry);
      else entries.splice(place, 0, entry);
      chunk.live += live;
    } else if (place === entries.length && at === this.#chunks.length - 1) {
      // Keys that come in order fill their chunks.
      this.#chunks.push({ entries: [entry], live });
    } else {
      const halves = [...entries.slice(0, place), entry, ...entries.slice(place)];
      const middle = halves.length >>> 1;
      this.#chunks.splice(at, 1, chunkOf(halves.slice(0, middle)), chunkOf(halves.slice(middle)));
    }
  }

  /** A key that is here began or ceased to exist. */
  countLive(key: string, difference: 1 | -1): void {
    (this.#chunks[this.#chunkAt(key)] as Chunk).live += difference;
  }

  /** Null takes the entry away. */
  replace(replacements: ReadonlyMap<string, Entry | null>): void {
    const touched = new Set<Chunk>();
    for (const key of replacements.keys()) touched.add(this.#chunks[this.#chunkAt(key)] as Chunk);
    const chunks: Chunk[] = [];
    for (const chunk of this.#chunks) {
      const next = touched.has(chunk) ? replaced(chunk, replacements) : chunk;
      this.#size -= chunk.entries.length - next.entries.length;
      const last = chunks.at(-1);
      // Only what has shrunk is merged: chunks that were always small will grow.
      if (next === chunk || last === undefined || !fitTogether(last, next)) chunks.push(next);
      else chunks[chunks.length - 1] = chunkOf([...last.entries, ...next.entries]);
    }
    this.#chunks = chunks.filter(({ entries }) => entries.length > 0);
  }

  /** In ascending order. No key may be added meanwhile. */
  *within(range: KeyRange): Generator<Entry, void, undefined> {
    const { rangeEnd } = range;
    let at = this.#chunkAt(range.key);
    let place = lowerBound(this.#chunks[at]?.entries ?? [], range.key);
    for (; at < this.#chunks.length; at++, place = 0) {
      const { entries } = this.#chunks[at] as Chunk;
      for (; place < entries.length; place++) {
        const entry = entries[place] as Entry;
        if (rangeEnd === null ? entry.key !== range.key : !isBeforeEnd(rangeEnd, entry.key)) return;
        yield entry;
      }
    }
  }

  /** The same the other way round. */
  *withinDescending({
    key,
    rangeEnd,
  }: KeyRange & { readonly rangeEnd: string }): Generator<Entry, void, undefined> {
    let at = rangeEnd === '' ? this.#chunks.length - 1 : this.#chunkAt(rangeEnd);
    let entries = this.#chunks[at]?.entries ?? [];
    let place = (rangeEnd === '' ? entries.length : lowerBound(entries, rangeEnd)) - 1;
    while (at >= 0) {
      for (; place >= 0; place--) {
        const entry = entries[place] as Entry;
        if (compareKeys(entry.key, key) < 0) return;
        yield entry;
      }
      at -= 1;
      entries = this.#chunks[at]?.entries ?? [];
      place = entries.length - 1;
    }
  }

  /**
   * How many keys from `key` on, before `rangeEnd`, are here, and how many of them exist now; costs a look at each chunk and
   * at the entries of two.
   */
  countWithin(key: string, rangeEnd: string): { readonly all: number; readonly live: number } {
    const first = this.#chunkAt(key);
    const last = rangeEnd === '' ? this.#chunks.length - 1 : this.#chunkAt(rangeEnd);
    let all = 0;
    let live = 0;
    for (let at = first; at <= last && at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] as Chunk;
      const { entries } = chunk;
      const from = at === first ? lowerBound(entries, key) : 0;
      const to = at === last && rangeEnd !== '' ? lowerBound(entries, rangeEnd) : entries.length;
      all += Math.max(to - from, 0);
      if (from === 0 && to === entries.length) live += chunk.live;
      else for (let i = from; i < to; i++) if (isLiveNow(entries[i] as Entry)) live += 1;
    }
    return { all, live };
  }

  /** All entries there are now, in ascending order, whatever happens while they are read. Some that came later may be among them. */
  capture(): Generator<Entry, void, undefined> {
    return eachEntry([...this.#chunks]);
  }

  /** The chunk that has the key, or would have it: the last that does not begin behind it. */
  #chunkAt(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(((this.#chunks[middle] as Chunk).entries[0] as Entry).key, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return Math.max(low - 1, 0);
  }
}

function* eachEntry(chunks: readonly Chunk[]): Generator<Entry, void, undefined> {
  // A copy of each when its turn comes: an insertion would move the rest under the reader.
  for (const { entries } of chunks) yield* [...entries];
}

function chunkOf(entries: Entry[]): Chunk {
  return { entries, live: entries.filter(isLiveNow).length };
}

function replaced({ entries, live }: Chunk, replacements: ReadonlyMap<string, Entry | null>): Chunk {
  const kept: Entry[] = [];
  for (const entry of entries) {
    const replacement = replacements.get(entry.key);
    if (replacement === undefined) kept.push(entry);
    else if (replacement !== null) kept.push(replacement);
  }
  return { entries: kept, live };
}

function fitTogether(a: Chunk, b: Chunk): boolean {
  return a.entries.length + b.entries.length <= CHUNK_ENTRIES_MAX / 2;
}

/** The number of entries before `key`. */
function lowerBound(entries: readonly Entry[], key: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys((entries[middle] as Entry).key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
