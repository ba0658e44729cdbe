import { describe, expect, it } from '@jest/globals';
import type { PartitionStatus } from '@ringleader/paxos';
import { CaughtUp } from './caught-up.js';

const FOLLOWER: PartitionStatus = {
  ...{ partition: 7, epoch: 1, role: 'follower', ballot: 65_537, leader: 1, promised: 65_537 },
  position: { ballot: 65_537, revision: 9 },
  ...{ commit: 9, serving: false, leased: false, copying: false },
};
const behindReasons = (replicas: readonly PartitionStatus[]): string[] => new CaughtUp().reasons(replicas, 0);
const reasonsOf = (change: Partial<PartitionStatus>): string[] => behindReasons([{ ...FOLLOWER, ...change }]);

describe('CaughtUp', () => {
  it.each<[string, Partial<PartitionStatus>]>([
    ['a follower at its leader’s ballot and commit point', {}],
    ['a follower ahead of the commit point', { commit: 5 }],
    ['a leader that serves', { role: 'leader', serving: true, commit: 9 }],
    ['a learner, however far behind', { role: 'learner', copying: true, leader: 0 }],
    ['a replica that was removed', { role: 'removed', leader: 0 }],
  ])('finds nothing behind in %s', (_what, change) => {
    expect(reasonsOf(change)).toEqual([]);
  });

  it.each<[string, Partial<PartitionStatus>]>([
    ['a follower that knows no leader', { leader: 0 }],
    ['a follower without its leader’s barrier', { position: { ballot: 1, revision: 9 } }],
    ['a follower behind the commit point', { position: { ballot: 65_537, revision: 8 } }],
    ['a follower that is copied to', { copying: true }],
    ['a candidate', { role: 'candidate' }],
    ['a leader whose barrier is not committed', { role: 'leader' }],
  ])('tells of %s', (_what, change) => {
    expect(reasonsOf(change)).toEqual(['1 of 1 replicas are not caught up (partitions 7)']);
  });

  it('names a few, and counts only those that vote', () => {
    const replicas = Array.from({ length: 8 }, (_, partition) => ({ ...FOLLOWER, partition, leader: 0 }));
    const learner: PartitionStatus = { ...FOLLOWER, role: 'learner' };
    expect(behindReasons([...replicas, FOLLOWER, learner])).toEqual([
      '8 of 9 replicas are not caught up (partitions 0, 1, 2, 3, 4, ...)',
    ]);
    expect(behindReasons([])).toEqual([]);
  });

  it('forgives a replica that stood there a moment ago, as in each step of a move, but not for long', () => {
    const caughtUp = new CaughtUp();
    const stepping: PartitionStatus = { ...FOLLOWER, role: 'candidate' };
    const unready: number[] = [];
    const look = (replica: PartitionStatus, now: number): void => {
      if (caughtUp.reasons([replica], now).length > 0) unready.push(now);
    };
    for (let now = 0; now < 10_000; now += 250) look(now % 1_000 === 0 ? FOLLOWER : stepping, now);
    expect(unready).toEqual([]);
    for (let now = 10_000; now < 12_000; now += 250) look(stepping, now);
    expect(unready).toEqual([11_000, 11_250, 11_500, 11_750]);
    look(FOLLOWER, 12_000);
    expect(unready).toHaveLength(4);
  });

  it('forgives a learner that had arrived, and now votes', () => {
    const caughtUp = new CaughtUp();
    expect(caughtUp.reasons([{ ...FOLLOWER, role: 'learner' }], 0)).toEqual([]);
    expect(caughtUp.reasons([{ ...FOLLOWER, leader: 0 }], 250)).toEqual([]);
  });

  it('forgives nothing in a life in which it was not seen to be there', () => {
    const caughtUp = new CaughtUp();
    expect(caughtUp.reasons([{ ...FOLLOWER, copying: true }], 0)).toHaveLength(1);
    expect(caughtUp.reasons([{ ...FOLLOWER, copying: true }], 100)).toHaveLength(1);
    expect(caughtUp.reasons([FOLLOWER], 200)).toEqual([]);
  });
});
