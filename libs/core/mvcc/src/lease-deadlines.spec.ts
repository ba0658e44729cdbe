import { describe, expect, it } from '@jest/globals';
import { LeaseDeadlines } from './lease-deadlines.js';

describe('LeaseDeadlines', () => {
  const create = (): LeaseDeadlines =>
    new LeaseDeadlines(
      1,
      [
        { lease: 1, ttlMs: 100 },
        { lease: 2, ttlMs: 200 },
      ],
      1_000,
    );

  it('gives every lease its full time from the beginning of the leadership', () => {
    const deadlines = create();
    expect(deadlines.takeExpired(1_099)).toEqual([]);
    expect(deadlines.takeExpired(1_100)).toEqual([1]);
    expect(deadlines.takeExpired(1_500)).toEqual([2]);
  });

  it('names an expired lease once, and does not renew it any more', () => {
    const deadlines = create();
    deadlines.takeExpired(1_100);
    expect(deadlines.takeExpired(1_100)).toEqual([]);
    expect(deadlines.renew(1, 1_100)).toBeNull();
  });

  it('renews from the time that it is told', () => {
    const deadlines = create();
    expect(deadlines.renew(1, 1_050)).toBe(100);
    expect(deadlines.takeExpired(1_149)).toEqual([]);
    expect(deadlines.takeExpired(1_150)).toEqual([1]);
  });

  it('tells what is left of a lease', () => {
    const deadlines = create();
    expect(deadlines.remainingMs(1, 1_030)).toBe(70);
    expect(deadlines.remainingMs(1, 1_130)).toBe(0);
    deadlines.takeExpired(1_100);
    deadlines.postpone(100);
    expect(deadlines.remainingMs(1, 1_110)).toBe(0);
    expect(deadlines.remainingMs(3, 1_000)).toBeNull();
  });

  it('knows only the leases that exist', () => {
    const deadlines = create();
    expect(deadlines.renew(3, 1_000)).toBeNull();
    deadlines.add({ lease: 3, ttlMs: 50 }, 1_000);
    deadlines.remove(1);
    expect(deadlines.takeExpired(1_100)).toEqual([3]);
  });

  it('does not count time in which the process did not run', () => {
    const deadlines = create();
    deadlines.postpone(5_000);
    expect(deadlines.takeExpired(6_099)).toEqual([]);
    expect(deadlines.takeExpired(6_200)).toEqual([1, 2]);
  });

  it('renews again after the proposal of the end was lost', () => {
    const deadlines = create();
    deadlines.revive(deadlines.takeExpired(1_100));
    expect(deadlines.renew(1, 1_100)).toBe(100);
  });
});
