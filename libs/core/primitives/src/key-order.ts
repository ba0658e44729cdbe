/**
 * Keys are ordered by their UTF-8 bytes, as PostgreSQL orders them in a `bytea` column, which is the order of their code
 * points. JavaScript's `<` compares UTF-16 units instead and puts U+1F600 (a surrogate pair) before U+FF5E.
 * Keys are well-formed strings: the edge refuses lone surrogates.
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

/** The lesser of two ends of a range; null is "no end". */
export function leastEnd(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return compareKeys(a, b) <= 0 ? a : b;
}
