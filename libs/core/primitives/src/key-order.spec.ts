import { describe, expect, it } from '@jest/globals';
import { compareKeys, leastEnd } from './key-order.js';
import { seededPrng } from './prng.js';

describe('compareKeys', () => {
  it('orders as the UTF-8 bytes do', () => {
    const prng = seededPrng(20_261_123);
    const alphabet = [
      'a',
      'b',
      '\0',
      '/',
      '\x7f',
      '\x80',
      'é',
      '\ud7ff',
      '\ue000',
      '～',
      '\uffff',
      '😀',
      '\u{10ffff}',
    ];
    const word = (): string =>
      Array.from({ length: prng.nextBelow(6) }, () => alphabet[prng.nextBelow(alphabet.length)]).join('');
    for (let i = 0; i < 5_000; i++) {
      const [a, b] = [word(), word()];
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }
  });
});

describe('leastEnd', () => {
  it('is the first of two ends in the order of keys, and null only where neither ends', () => {
    expect(leastEnd(null, 'b')).toBe('b');
    expect(leastEnd('a', null)).toBe('a');
    expect(leastEnd('b', 'a')).toBe('a');
    expect(leastEnd('😀', '～')).toBe('～');
    expect(leastEnd(null, null)).toBe(null);
  });
});
