import { compareKeys } from '@ringleader/primitives';

/**
 * Which keys a request speaks of: one key (`rangeEnd` null), or all from `key` on that stand before `rangeEnd`.
 * An empty `rangeEnd` is "to the end of all keys": nothing stands before the empty key, so it has no other use.
 */
export interface KeyRange {
  readonly key: string;
  readonly rangeEnd: string | null;
}

export function rangeContains(range: KeyRange, key: string): boolean {
  if (range.rangeEnd === null) return key === range.key;
  return compareKeys(range.key, key) <= 0 && isBeforeEnd(range.rangeEnd, key);
}

export function isBeforeEnd(rangeEnd: string, key: string): boolean {
  return rangeEnd === '' || compareKeys(key, rangeEnd) < 0;
}

interface Interval {
  readonly start: string;
  readonly end: string;
}

/** All keys of many ranges at once: membership costs a binary search, not a walk over the ranges. */
export class KeySet {
  readonly #single = new Set<string>();
  /** Sorted and disjoint. */
  readonly #intervals: Interval[] = [];

  constructor(ranges: readonly KeyRange[]) {
    const sorted: Interval[] = [];
    for (const { key, rangeEnd } of ranges) {
      if (rangeEnd === null) this.#single.add(key);
      else sorted.push({ start: key, end: rangeEnd });
    }
    sorted.sort((a, b) => compareKeys(a.start, b.start));
    for (const interval of sorted) this.#merge(interval);
  }

  has(key: string): boolean {
    if (this.#single.has(key)) return true;
    let low = 0;
    let high = this.#intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys((this.#intervals[middle] as Interval).start, key) <= 0) low = middle + 1;
      else high = middle;
    }
    const candidate = this.#intervals[low - 1];
    return candidate !== undefined && isBeforeEnd(candidate.end, key);
  }

  /** It starts at or after all that are here. */
  #merge(interval: Interval): void {
    if (!isBeforeEnd(interval.end, interval.start)) return;
    const last = this.#intervals.at(-1);
    if (last === undefined || !isBeforeEnd(last.end, interval.start)) this.#intervals.push(interval);
    else if (last.end !== '' && (interval.end === '' || compareKeys(last.end, interval.end) < 0)) {
      this.#intervals[this.#intervals.length - 1] = { start: last.start, end: interval.end };
    }
  }
}
