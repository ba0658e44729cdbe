import { describe, expect, it } from '@jest/globals';
import { KnownKeys } from './known-keys.js';
import { MemoryShare } from './memory-share.js';

const keyOf = (i: number): string => `users/${i}/profile-é`;

describe('KnownKeys', () => {
  it('knows every key that was added, and few that were not', () => {
    const share = new MemoryShare(1 << 20, () => 1);
    const keys = new KnownKeys(share, true);
    expect(keys.mayHave(keyOf(0))).toBe(false);
    const COUNT = 20_000;
    for (let i = 0; i < COUNT; i += 1) keys.add(keyOf(i));
    for (let i = 0; i < COUNT; i += 1) expect(keys.mayHave(keyOf(i))).toBe(true);
    let wrong = 0;
    for (let i = COUNT; i < 2 * COUNT; i += 1) if (keys.mayHave(keyOf(i))) wrong += 1;
    // One in a hundred of the largest filter, and half as many of each that is full.
    expect(wrong / COUNT).toBeLessThan(0.08);
    // At most twice what so many keys take, and as much again for what is not full.
    expect(share.heldBytes).toBeLessThan((4 * COUNT * 10) / 8);
    const held = share.heldBytes;
    for (let round = 0; round < 3; round += 1) for (let i = 0; i < COUNT; i += 1) keys.add(keyOf(i));
    expect(share.heldBytes).toBeLessThanOrEqual(2 * held + 256);
  });

  it('takes all for possible of what it has not seen from the beginning', () => {
    const share = new MemoryShare(1 << 20, () => 1);
    const keys = new KnownKeys(share, false);
    keys.add('a');
    expect([keys.mayHave('a'), keys.mayHave('b'), share.heldBytes]).toEqual([true, true, 0]);
  });

  it('forgets rather than holding more than its part', () => {
    const share = new MemoryShare(4_096, () => 2);
    const keys = new KnownKeys(share, true);
    for (let i = 0; i < 20_000; i += 1) keys.add(keyOf(i));
    expect([keys.mayHave('other'), share.heldBytes]).toEqual([true, 0]);
  });
});
