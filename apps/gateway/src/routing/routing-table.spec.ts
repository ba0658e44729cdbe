import { describe, expect, it } from '@jest/globals';
import { LeaderTable } from './routing-table.js';

const ballot = (round: number, shard: number): number => round * 65_536 + shard;
const table = (): LeaderTable => new LeaderTable({ hintMs: 1_000, announcementMs: 3_000 });
/** Of partition 3, by whose ballot it is. */
const announce = (leaders: LeaderTable, epoch: number, highest: number, now: number): boolean =>
  leaders.announce(highest % 65_536, { partition: 3, epoch, ballot: highest }, now);

describe('LeaderTable', () => {
  it('knows nobody at first', () => {
    expect(table().route(3, 0)).toBeNull();
    expect(table().announcedLeader(3, 0)).toBeNull();
  });

  it('routes to whoever announced the highest ballot', () => {
    const leaders = table();
    expect(announce(leaders, 1, ballot(2, 7), 0)).toBe(true);
    expect(announce(leaders, 1, ballot(1, 9), 0)).toBe(false);
    expect(announce(leaders, 1, ballot(2, 7), 0)).toBe(false);
    expect(leaders.route(3, 0)).toEqual({ shard: 7, ballot: ballot(2, 7), epoch: 1 });
    expect(announce(leaders, 2, ballot(3, 9), 0)).toBe(true);
    expect(leaders.route(3, 0)).toEqual({ shard: 9, ballot: ballot(3, 9), epoch: 2 });
  });

  it('follows a hint for a while, then asks the announced leader again', () => {
    const leaders = table();
    announce(leaders, 1, ballot(2, 7), 0);
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
    announce(leaders, 1, ballot(2, 7), 0);
    expect(leaders.hint(3, { shard: 0, ballot: 0, epoch: 1 }, 0)).toBe(false);
    expect(leaders.hint(3, { shard: 5, ballot: ballot(1, 5), epoch: 1 }, 0)).toBe(false);
  });

  it('reports leaders which announced themselves lately only', () => {
    const leaders = table();
    announce(leaders, 1, ballot(2, 7), 0);
    expect([leaders.announcedLeader(3, 3_000), leaders.announcedLeader(3, 3_001)]).toEqual([7, null]);
    announce(leaders, 1, ballot(2, 7), 4_000);
    expect(leaders.announcedLeader(3, 5_000)).toBe(7);
  });

  it('believes nobody who announces the ballot of another', () => {
    const leaders = table();
    expect(leaders.announce(7, { partition: 3, epoch: 1, ballot: ballot(2, 9) }, 0)).toBe(false);
    expect(leaders.route(3, 0)).toBeNull();
  });

  it('forgets a ballot that nobody announces any more, however high it is', () => {
    const leaders = table();
    announce(leaders, 1, ballot(2, 7), 0);
    announce(leaders, 9, ballot(2 ** 30, 5), 10);
    for (let now = 300; now <= 3_000; now += 300) expect(announce(leaders, 1, ballot(2, 7), now)).toBe(false);
    expect(announce(leaders, 1, ballot(2, 7), 3_300)).toBe(true);
    expect(leaders.route(3, 3_300)).toEqual({ shard: 7, ballot: ballot(2, 7), epoch: 1 });
    expect(leaders.announcedLeader(3, 3_300)).toBe(7);
  });

  it('believes nobody who leads what was given up, however high its ballot is', () => {
    const leaders = table();
    announce(leaders, 1, ballot(9, 7), 0);
    leaders.hint(3, { shard: 9, ballot: ballot(10, 9), epoch: 1 }, 0);
    leaders.recovered(3, 2);
    expect(leaders.route(3, 1)).toBeNull();
    expect(announce(leaders, 1, ballot(9, 7), 2)).toBe(false);
    expect(leaders.hint(3, { shard: 9, ballot: ballot(10, 9), epoch: 1 }, 2)).toBe(false);
    expect(announce(leaders, 2, ballot(3, 5), 3)).toBe(true);
    leaders.recovered(3, 2);
    expect(leaders.route(3, 4)).toEqual({ shard: 5, ballot: ballot(3, 5), epoch: 2 });
  });

  it('asks nobody who said that it leads no more, until it or another announces itself', () => {
    const leaders = table();
    announce(leaders, 1, ballot(2, 7), 0);
    expect(leaders.refused(3, { shard: 7, ballot: ballot(1, 7) })).toBe(false);
    expect(leaders.refused(3, { shard: 9, ballot: ballot(2, 7) })).toBe(false);
    expect(leaders.refused(3, { shard: 7, ballot: ballot(2, 7) })).toBe(true);
    expect(leaders.refused(3, { shard: 7, ballot: ballot(2, 7) })).toBe(false);
    expect(leaders.route(3, 10)).toBeNull();
    leaders.hint(3, { shard: 9, ballot: ballot(3, 9), epoch: 1 }, 20);
    expect(leaders.route(3, 30)?.shard).toBe(9);
    // A refusal that was said before the announcement and heard after it.
    expect(announce(leaders, 1, ballot(2, 7), 40)).toBe(true);
    expect(leaders.route(3, 1_050)?.shard).toBe(7);
  });

  it('lets no hint whose time is over hold up another, however high it was', () => {
    const leaders = table();
    announce(leaders, 1, ballot(2, 7), 0);
    leaders.hint(3, { shard: 5, ballot: ballot(2 ** 30, 5), epoch: 1 }, 0);
    expect(leaders.hint(3, { shard: 9, ballot: ballot(3, 9), epoch: 1 }, 999)).toBe(false);
    expect(leaders.hint(3, { shard: 9, ballot: ballot(3, 9), epoch: 1 }, 1_000)).toBe(true);
    expect(leaders.route(3, 1_001)?.shard).toBe(9);
    // The same lie again is no news, and a true announcement ends it.
    expect(announce(leaders, 1, ballot(3, 9), 1_100)).toBe(true);
    expect(leaders.route(3, 1_101)?.shard).toBe(9);
  });
});
