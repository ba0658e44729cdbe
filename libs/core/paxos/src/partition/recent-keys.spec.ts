import { describe, expect, it } from '@jest/globals';
import type { Row } from '../records.js';
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

describe('RecentKeys', () => {
  it('names each key past a base once, and knows how far back it reaches', () => {
    const recent = new RecentKeys(10, 4);
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
    const recent = new RecentKeys(0, 4);
    for (let revision = 1; revision <= 9; revision += 1) recent.add(row(`k${revision}`, revision));
    recent.trim();
    expect(recent.past(4)).toBe(null);
    expect(recent.past(5)).toEqual(['k6', 'k7', 'k8', 'k9']);
  });

  it('begins anew from the rows of a repair', () => {
    const recent = new RecentKeys(0, 4);
    recent.add(row('undone', 9));
    recent.reset(5, [row('old', 3), row('new', 6)]);
    expect(recent.past(5)).toEqual(['new']);
    expect(recent.past(4)).toBe(null);
  });
});
