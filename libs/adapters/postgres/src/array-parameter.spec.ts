import { describe, expect, it } from '@jest/globals';
import { ArrayParameter } from './array-parameter.js';

/** The elements after the header, null or bytes. */
function elementsOf(parameter: Buffer): (Buffer | null)[] {
  const count = parameter.readInt32BE(12);
  const elements: (Buffer | null)[] = [];
  let at = 20;
  for (let i = 0; i < count; i++) {
    const length = parameter.readInt32BE(at);
    at += 4;
    elements.push(length < 0 ? null : parameter.subarray(at, at + length));
    at += Math.max(0, length);
  }
  expect(at).toBe(parameter.length);
  return elements;
}

describe('ArrayParameter', () => {
  it('writes integers of every width, also negative and beyond 32 bits', () => {
    const bigints = new ArrayParameter('bigint', 0);
    const values = [0, 1, -1, 2 ** 32, -(2 ** 32) - 5, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
    for (const value of values) bigints.bigint(value);
    expect(elementsOf(bigints.finish()).map((element) => Number(element!.readBigInt64BE()))).toEqual(values);
    const small = new ArrayParameter('smallint', 0);
    small.smallint(16_383);
    expect(elementsOf(small.finish())[0]!.readInt16BE()).toBe(16_383);
  });

  it('writes bytes, strings and nulls, whatever size was expected', () => {
    for (const expected of [0, 10_000]) {
      const parameter = new ArrayParameter('bytea', expected);
      parameter.bytes(Buffer.alloc(1_000, 3));
      parameter.null();
      parameter.utf8('grüße 😀');
      parameter.utf8('');
      const finished = parameter.finish();
      expect(finished.readInt32BE(4)).toBe(1);
      expect(finished.readInt32BE(8)).toBe(17);
      const [bytes, nothing, text, empty] = elementsOf(finished);
      expect(bytes!.equals(Buffer.alloc(1_000, 3))).toBe(true);
      expect(nothing).toBeNull();
      expect(text!.toString('utf8')).toBe('grüße 😀');
      expect(empty!.length).toBe(0);
    }
  });
});
