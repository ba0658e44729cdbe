import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { defaultTimings, raftConfig, type ReadLease } from '../config.js';
import { configurationOf } from '../membership/configuration.js';
import { emptyStoredState, RaftMember } from '../raft-member.js';

const LEADER = 2;
const { electionTimeoutTicks, heartbeatIntervalTicks } = defaultTimings;

function newFollower(id: number, lease: ReadLease | null = null): RaftMember {
  const founders = configurationOf([1, 2, 3].map((one) => ({ id: one, seat: one })));
  const member = new RaftMember(
    raftConfig({ id, random: seededPrng(1) }, { lease }),
    emptyStoredState(founders),
  );
  hear(member);
  return member;
}

const hear = (member: RaftMember): void =>
  member.step({
    kind: 'heartbeat',
    from: LEADER,
    to: member.status().id,
    term: 1,
    commit: 0,
    readRound: 0,
  });

/** Ticks until it is silent. */
function untilSilent(member: RaftMember): number {
  let ticks = 0;
  for (; member.silentLeader === 0; ticks += 1) member.tick();
  return ticks;
}

function untilCandidacy(member: RaftMember): number {
  let ticks = 0;
  for (; member.status().role === 'follower'; ticks += 1) member.tick();
  return ticks;
}

describe('a leader that is gone', () => {
  it('is looked for when several heartbeats are missing, and not before', () => {
    expect(untilSilent(newFollower(1))).toBeGreaterThan(2 * heartbeatIntervalTicks);
  });

  it('is replaced before the time-out, by one follower after the other', () => {
    const waits = [1, 3].map((id) => {
      const follower = newFollower(id);
      const silentTicks = untilSilent(follower);
      follower.reportUnreachable(LEADER);
      expect(follower.status().leader).toBe(0);
      return silentTicks + untilCandidacy(follower);
    });
    const [first = 0, second = 0] = waits;
    expect(first).toBeLessThan(electionTimeoutTicks);
    expect(second).toBeGreaterThan(first + 1);
    expect(second).toBeLessThanOrEqual(electionTimeoutTicks);
  });

  it('is none while it is heard', () => {
    const follower = newFollower(1);
    follower.reportUnreachable(LEADER);
    expect(follower.status().leader).toBe(LEADER);
    untilSilent(follower);
    hear(follower);
    follower.reportUnreachable(LEADER);
    expect(follower.status().leader).toBe(LEADER);
  });

  it('keeps its lease, where reads go by one', () => {
    const follower = newFollower(1, { tickMs: 50, driftMax: 0.1 });
    const silentTicks = untilSilent(follower);
    follower.reportUnreachable(LEADER);
    expect(silentTicks + untilCandidacy(follower)).toBeGreaterThanOrEqual(electionTimeoutTicks);
  });
});
