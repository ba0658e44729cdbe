import { describe, expect, it } from '@jest/globals';
import { TokenBucket } from './token-bucket.js';

const taken = (bucket: TokenBucket, times: number, now: number): number =>
  Array.from({ length: times }, () => bucket.take(now)).filter(Boolean).length;

describe('a token bucket', () => {
  it('gives a second’s worth at once, and then so many in a second', () => {
    const bucket = new TokenBucket(10);
    expect(taken(bucket, 20, 1_000)).toBe(10);
    expect(taken(bucket, 20, 1_050)).toBe(0);
    expect(taken(bucket, 20, 1_100)).toBe(1);
    expect(taken(bucket, 20, 1_600)).toBe(5);
    expect(taken(bucket, 20, 1_000_000)).toBe(10);
  });

  it('takes nothing back where time stands still or goes back', () => {
    const bucket = new TokenBucket(1);
    expect([bucket.take(5), bucket.take(5), bucket.take(4)]).toEqual([true, false, false]);
  });
});
