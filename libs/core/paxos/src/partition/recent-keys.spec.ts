import { describe, expect, it } from '@jest/globals';
import type { Row } from '../records.js';
import { MemoryShare } from './memory-share.js';
import { RecentKeys } from './recent-keys.js';

function row(key: string, revision: number): Row {
  return {
    key,
    value: new Uint8Array(),
    contentType: '',
    revision,
    version: 1,
    createdAt: 0,
    modifiedAt: 0,
    expiresAt: null,
    requests: [],
    requestFloor: 0,
  };
}

const PLENTY = new MemoryShare(1 << 20, () => 1);

describe('RecentKeys', () => {
  it('names each key past a base once, and knows how far back it reaches', () => {
    const recent = new RecentKeys(10, 4, PLENTY);
    for (const [key, revision] of [
      ['a', 11],
      ['b', 12],
      ['a', 13],
    ] as const)
      recent.add(row(key, revision));
    expect(recent.past(10)).toEqual(['a', 'b']);
    expect(recent.past(12)).toEqual(['a']);
    expect(recent.past(9)).toBe(null);
  });

  it('forgets from the old end', () => {
    const recent = new RecentKeys(0, 4, PLENTY);
    for (let revision = 1; revision <= 9; revision += 1) recent.add(row(`k${revision}`, revision));
    recent.trim();
    expect(recent.past(4)).toBe(null);
    expect(recent.past(5)).toEqual(['k6', 'k7', 'k8', 'k9']);
  });

  it('begins anew from the rows of a repair', () => {
    const recent = new RecentKeys(0, 4, PLENTY);
    recent.add(row('undone', 9));
    recent.reset(5, [row('old', 3), row('new', 6)]);
    expect(recent.past(5)).toEqual(['new']);
    expect(recent.past(4)).toBe(null);
  });

  it('shares a bound in bytes with the other partitions: long keys are remembered less far back', () => {
    const share = new MemoryShare(100_000, () => 10);
    const all = Array.from({ length: 10 }, () => new RecentKeys(0, 1_024, share));
    const long = 'k'.repeat(1_000);
    for (let revision = 1; revision <= 200; revision += 1)
      for (const recent of all) {
        recent.add(row(`${long}${revision}`, revision));
        recent.trim();
      }
    expect(share.heldBytes).toBeGreaterThan(50_000);
    expect(share.heldBytes).toBeLessThanOrEqual(200_000);
    expect(all[0]?.past(199)).toEqual([`${long}200`]);
    expect(all[0]?.past(0)).toBe(null);
    for (const recent of all) recent.reset(200, []);
    expect(share.heldBytes).toBe(0);
  });
});
