import { describe, expect, it } from '@jest/globals';
import { LeaderTable } from './leader-table.js';

const ballot = (round: number, shard: number): number => round * 65_536 + shard;
const table = (): LeaderTable => new LeaderTable({ hintMs: 1_000, announcementMs: 3_000 });

describe('LeaderTable', () => {
  it('knows nobody at first', () => {
    expect(table().route(3, 0)).toBeNull();
    expect(table().announcedLeader(3, 0)).toBeNull();
  });

  it('routes to whoever announced the highest ballot', () => {
    const leaders = table();
    expect(leaders.announce(3, 1, ballot(2, 7), 0)).toBe(true);
    expect(leaders.announce(3, 1, ballot(1, 9), 0)).toBe(false);
    expect(leaders.announce(3, 1, ballot(2, 7), 0)).toBe(false);
    expect(leaders.route(3, 0)).toEqual({ shard: 7, ballot: ballot(2, 7), epoch: 1 });
    expect(leaders.announce(3, 2, ballot(3, 9), 0)).toBe(true);
    expect(leaders.route(3, 0)).toEqual({ shard: 9, ballot: ballot(3, 9), epoch: 2 });
  });

  it('follows a hint for a while, then asks the announced leader again', () => {
    const leaders = table();
    leaders.announce(3, 1, ballot(2, 7), 0);
    expect(leaders.hint(3, { shard: 9, ballot: ballot(3, 9), epoch: 1 }, 100)).toBe(true);
    expect(leaders.hint(3, { shard: 9, ballot: ballot(3, 9), epoch: 1 }, 200)).toBe(false);
    expect(leaders.route(3, 1_099)?.shard).toBe(9);
    expect(leaders.route(3, 1_100)?.shard).toBe(7);
  });

  it('keeps a hint where nobody has announced anything', () => {
    const leaders = table();
    leaders.hint(3, { shard: 0, ballot: ballot(3, 9), epoch: 1 }, 0);
    expect(leaders.route(3, 60_000)).toEqual({ shard: 9, ballot: ballot(3, 9), epoch: 1 });
  });

  it('takes no hint without a ballot, and none that is old', () => {
    const leaders = table();
    leaders.announce(3, 1, ballot(2, 7), 0);
    expect(leaders.hint(3, { shard: 0, ballot: 0, epoch: 1 }, 0)).toBe(false);
    expect(leaders.hint(3, { shard: 5, ballot: ballot(1, 5), epoch: 1 }, 0)).toBe(false);
  });

  it('reports leaders which announced themselves lately only', () => {
    const leaders = table();
    leaders.announce(3, 1, ballot(2, 7), 0);
    expect([leaders.announcedLeader(3, 3_000), leaders.announcedLeader(3, 3_001)]).toEqual([7, null]);
    leaders.announce(3, 1, ballot(2, 7), 4_000);
    expect(leaders.announcedLeader(3, 5_000)).toBe(7);
  });
});
