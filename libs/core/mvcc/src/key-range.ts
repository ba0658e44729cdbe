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
