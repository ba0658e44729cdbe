import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { compareKeys, leastEnd } from './keys.js';

describe('compareKeys', () => {
  it('orders as the bytes of UTF-8 do', () => {
    const units = ['', 'a', 'b', 'é', '\uE000', '\uFFFD', '😀', '𐀀', '\u{10FFFF}', 'z'];
    const prng = seededPrng(3);
    const keys = Array.from({ length: 200 }, () =>
      Array.from({ length: prng.nextBelow(4) }, () => units[prng.nextBelow(units.length)] ?? '').join(''),
    );
    const encoder = new TextEncoder();
    const byBytes = (a: string, b: string): number => {
      const [x, y] = [encoder.encode(a), encoder.encode(b)];
      for (let index = 0; index < Math.min(x.length, y.length); index += 1) {
        const difference = (x[index] ?? 0) - (y[index] ?? 0);
        if (difference !== 0) return difference;
      }
      return x.length - y.length;
    };
    for (const a of keys) {
      for (const b of keys) expect(Math.sign(compareKeys(a, b))).toBe(Math.sign(byBytes(a, b)));
    }
  });

  it('takes null as no end', () => {
    expect(leastEnd(null, 'b')).toBe('b');
    expect(leastEnd('a', 'b')).toBe('a');
    expect(leastEnd(null, null)).toBe(null);
  });
});
