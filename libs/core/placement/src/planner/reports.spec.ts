import { beforeEach, describe, expect, it } from '@jest/globals';
import type { MapEntry } from './cluster-state.js';
import { MoveReports, type PartitionReport } from './reports.js';
import { PLANNER_RULES } from './rules.js';

const ORDINALS = 65_536;
const joint: MapEntry = {
  ...{
    partition: 7,
    epoch: 3,
    replicas: [1, 2, 3],
    nextReplicas: [1, 2, 4],
    learners: [],
    preferredLeader: 1,
  },
};
const learn: MapEntry = { ...joint, nextReplicas: null, learners: [4] };

describe('MoveReports', () => {
  let reports: MoveReports;
  beforeEach(() => {
    reports = new MoveReports(PLANNER_RULES);
  });

  const say = (by: number, report: Partial<PartitionReport>, nowMs = 0): boolean =>
    reports.take(
      by,
      [
        {
          partition: 7,
          epoch: 3,
          ballot: ORDINALS + by,
          ready: false,

          learners: [],
          ...report,
        },
      ],
      nowMs,
    );
  const copying = (bytesDone: number): Pick<PartitionReport, 'learners'> => ({
    learners: [{ ordinal: 4, caughtUp: bytesDone === 4_000, bytesDone, bytesTotal: 4_000 }],
  });

  it('keeps that a leader was ready at an epoch, and forgets it at the next', () => {
    expect(say(1, { ready: true })).toBe(true);
    expect(reports.isReady(joint)).toBe(true);
    expect(say(2, { ballot: 2 * ORDINALS + 2 })).toBe(false);
    expect(reports.isReady(joint)).toBe(true);
    expect(reports.isReady({ ...joint, epoch: 4 })).toBe(false);
    say(1, { epoch: 4 });
    expect(reports.isReady({ ...joint, epoch: 4 })).toBe(false);
  });

  it('believes a shard only for its own ballots, and none that is older than what is known', () => {
    expect(say(1, { ready: true, ballot: ORDINALS + 2 })).toBe(false);
    say(1, { epoch: 4 });
    expect(say(1, { epoch: 3, ready: true })).toBe(false);
    expect(reports.isReady(joint)).toBe(false);
  });

  it('does not settle on the word of a leader that is not in the new set', () => {
    say(3, { ready: true });
    expect(reports.isReady(joint)).toBe(false);
  });

  it('knows for a while how quiet it is at a shard, and when that is news', () => {
    expect(reports.quietMinutes(1, 0)).toBe(null);
    expect(reports.takeQuiet(1, 59_000, 0)).toBe(true);
    expect(reports.quietMinutes(1, 0)).toBe(0);
    expect(reports.takeQuiet(1, 59_999, 999)).toBe(false);
    expect(reports.takeQuiet(1, 60_000, 1_000)).toBe(true);
    expect(reports.quietMinutes(1, 1_000)).toBe(1);
    expect(reports.takeQuiet(1, 100, 2_000)).toBe(true);
    expect(reports.takeQuiet(1, null, 3_000)).toBe(true);
    expect(reports.quietMinutes(1, 18_000)).toBeGreaterThan(3);
    expect(reports.quietMinutes(1, 18_001)).toBe(null);
    expect(reports.takeQuiet(1, null, 20_000)).toBe(true);
  });

  it('knows since when a partition comes no further, also without any report', () => {
    expect(reports.standsStillSinceMs(learn)).toBe(null);
    reports.follow([learn], 100);
    reports.follow([learn], 200);
    expect(reports.standsStillSinceMs(learn)).toBe(100);
    say(1, copying(1_000), 300);
    say(1, copying(1_000), 400);
    expect(reports.standsStillSinceMs(learn)).toBe(300);
    reports.follow([{ ...joint, epoch: 4 }], 500);
    expect(reports.standsStillSinceMs({ ...joint, epoch: 4 })).toBe(500);
    say(1, { epoch: 4 }, 600);
    say(1, { epoch: 4 }, 700);
    expect(reports.standsStillSinceMs({ ...joint, epoch: 4 })).toBe(600);
  });

  it('knows how far a copy is, how fast, and what copies took', () => {
    reports.follow([learn], 0);
    say(1, copying(0), 0);
    say(1, copying(1_000), 250);
    expect(reports.progress(learn)).toEqual({ bytesDone: 1_000, bytesTotal: 4_000, bytesPerSecond: 0 });
    say(1, copying(2_000), 1_000);
    expect(reports.progress(learn)).toEqual({ bytesDone: 2_000, bytesTotal: 4_000, bytesPerSecond: 2_000 });
    expect(reports.isCaughtUp(learn, 4)).toBe(false);
    expect(say(1, copying(4_000), 1_500)).toBe(true);
    expect(reports.isCaughtUp(learn, 4)).toBe(true);
    expect(reports.bytesCopied).toBe(4_000);
    reports.follow([], 2_000);
    expect(reports.bytesPerCopy).toBe(4_000);
    expect(reports.isCaughtUp(learn, 4)).toBe(false);
  });
});
