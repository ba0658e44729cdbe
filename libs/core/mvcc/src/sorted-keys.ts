import { compareKeys } from '@ringleader/primitives';
import { type KeyRange, isBeforeEnd } from './key-range.js';

/**
 * The ordered set of keys, as one sorted array. Insertion moves what stands behind it, which for the control plane
 * (tens of thousands of keys at most) is one short memmove, cheaper than the pointer chasing of a tree.
 * Members are never removed one by one: compaction drops all dead keys in one pass.
 */
export class SortedKeys {
  #keys: string[] = [];

  get size(): number {
    return this.#keys.length;
  }

  add(key: string): void {
    const position = this.#lowerBound(key);
    if (this.#keys[position] === key) return;
    if (position === this.#keys.length) this.#keys.push(key);
    else this.#keys.splice(position, 0, key);
  }

  removeAll(dead: ReadonlySet<string>): void {
    if (dead.size > 0) this.#keys = this.#keys.filter((key) => !dead.has(key));
  }

  /** In ascending order. The set must not change meanwhile. */
  *within(range: KeyRange): Generator<string, void, undefined> {
    for (let i = this.#lowerBound(range.key); i < this.#keys.length; i++) {
      const key = this.#keys[i] as string;
      if (range.rangeEnd === null ? key !== range.key : !isBeforeEnd(range.rangeEnd, key)) return;
      yield key;
    }
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.#keys[Symbol.iterator]();
  }

  /** The number of keys before `key`. */
  #lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#keys[middle] as string, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
