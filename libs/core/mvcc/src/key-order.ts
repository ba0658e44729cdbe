/**
 * Keys are ordered by their UTF-8 bytes, which is the order of their code points. JavaScript's `<` compares UTF-16
 * units instead and puts U+1F600 (a surrogate pair, 0xD83D...) before U+FF5E: members written in another language, and
 * the data plane's `bytea` columns, would disagree with it.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Moves the surrogates (U+D800..U+DFFF, which stand for code points from U+10000 on) above U+E000..U+FFFF. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/**
 * Which keys a request speaks of: one key (`rangeEnd` null), or all from `key` on that stand before `rangeEnd`.
 * An empty `rangeEnd` is "to the end of all keys": nothing stands before the empty key, so it has no other use.
 * Keys and bounds are well-formed strings: the edge refuses lone surrogates.
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
