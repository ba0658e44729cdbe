import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { defaultTimings, raftConfig, type ReadLease } from '../config.js';
import { configurationOf } from '../membership/configuration.js';
import type { Message, MessageBody } from '../messages.js';
import { emptyStoredState, RaftMember } from '../raft-member.js';
import type { ReadState } from '../types.js';
import { leaseLengthMs } from './lease.js';

const lease: ReadLease = { tickMs: 50, driftMax: 0.1 };
const lengthMs = leaseLengthMs({ lease, timings: defaultTimings });
const founders = configurationOf([1, 2, 3].map((id) => ({ id, seat: id })));

/** Member 1 with a disk that takes no time, and a clock. */
class Stage {
  readonly member: RaftMember;
  nowMs = 1_000;

  constructor(option: ReadLease | null = lease) {
    const config = raftConfig({ id: 1, random: seededPrng(1) }, { lease: option });
    this.member = new RaftMember(config, emptyStoredState(founders));
  }

  settle(): { messages: Message[]; reads: ReadState[] } {
    const messages: Message[] = [];
    const reads: ReadState[] = [];
    for (let i = 0; i < 5; i += 1) {
      const ready = this.member.takeReady(this.nowMs);
      if (ready.persist !== null) this.member.persisted(ready.persist.id);
      messages.push(...ready.messages);
      reads.push(...ready.reads);
    }
    return { messages, reads };
  }
  hear(from: number, body: MessageBody, term = this.member.status().term): Message[] {
    this.member.step({ ...body, from, to: 1, term });
    return this.settle().messages;
  }
  elect(): this {
    while (this.member.status().role === 'follower') this.member.tick();
    this.hear(2, { kind: 'preVoteReply', granted: true }, 1);
    this.hear(2, { kind: 'voteReply', granted: true });
    this.hear(2, { kind: 'appendReply', matchIndex: 1 });
    return this;
  }
  /** Time passes until the next heartbeat, which leaves now. Its round. */
  beat(): number {
    for (let tick = 0; tick < defaultTimings.heartbeatIntervalTicks; tick += 1) this.member.tick();
    const sent = this.settle().messages.find(({ kind }) => kind === 'heartbeat');
    return sent?.kind === 'heartbeat' ? sent.readRound : 0;
  }
  answer(from: number, readRound: number): void {
    this.hear(from, { kind: 'heartbeatReply', readRound, isDiskFull: false });
  }
  read(context: number): ReadState[] {
    this.member.requestRead(context);
    return this.settle().reads;
  }
}

describe('a leader with a lease', () => {
  it('answers without asking for as long as the lease is, from when the heartbeat was sent', () => {
    const stage = new Stage().elect();
    const round = stage.beat();
    stage.nowMs += 100;
    expect(stage.read(1)).toEqual([]);
    stage.answer(3, round);
    expect(stage.read(2)).toEqual([{ context: 2, index: 1 }]);
    stage.nowMs += lengthMs - 100 - 1;
    expect(stage.read(3)).toEqual([{ context: 3, index: 1 }]);
    stage.nowMs += 1;
    expect(stage.read(4)).toEqual([]);
  });

  it('asks for what was asked without one, and goes on by the next heartbeat that is answered', () => {
    const stage = new Stage().elect();
    stage.answer(2, stage.beat());
    stage.nowMs += lengthMs;
    expect(stage.read(1)).toEqual([]);
    const round = stage.beat();
    stage.answer(2, round);
    expect(stage.read(2)).toEqual([{ context: 2, index: 1 }]);
  });

  it('takes an answer to an older heartbeat for what it is', () => {
    const stage = new Stage().elect();
    const old = stage.beat();
    stage.nowMs += lengthMs - 10;
    stage.beat();
    stage.answer(2, old);
    expect(stage.read(1)).toEqual([{ context: 1, index: 1 }]);
    stage.nowMs += 10;
    expect(stage.read(2)).toEqual([]);
  });

  it('has none before an entry of its own term is committed, and none without a clock', () => {
    const stage = new Stage();
    while (stage.member.status().role === 'follower') stage.member.tick();
    stage.hear(2, { kind: 'preVoteReply', granted: true }, 1);
    stage.hear(2, { kind: 'voteReply', granted: true });
    stage.answer(2, stage.beat());
    expect(stage.read(1)).toEqual([]);
    stage.hear(2, { kind: 'appendReply', matchIndex: 1 });
    stage.member.requestRead(2);
    expect(stage.member.takeReady().reads).toEqual([]);
  });

  it('has none any more in a term in which it wanted to hand over', () => {
    const stage = new Stage().elect();
    stage.answer(2, stage.beat());
    stage.member.transferLeadership(2);
    for (let tick = 0; tick < defaultTimings.electionTimeoutTicks; tick += 1) {
      stage.member.tick();
      stage.answer(2, 0);
    }
    stage.answer(2, stage.beat());
    expect(stage.member.propose([])).toMatchObject({ kind: 'accepted' });
    expect(stage.read(1)).toEqual([]);
  });

  it('is an option: else every read is confirmed by a round of its own', () => {
    const stage = new Stage(null).elect();
    stage.answer(2, stage.beat());
    expect(stage.read(1)).toEqual([]);
  });
});

describe('a member that others have leases by', () => {
  const preVote = { kind: 'preVote', lastIndex: 9, lastTerm: 1 } as const;
  const isAnswered = (stage: Stage): boolean => stage.hear(3, preVote, 2).length > 0;

  it('helps nobody for an election time-out after it has started, as it may have heard a leader before', () => {
    const stage = new Stage();
    expect(isAnswered(stage)).toBe(false);
    for (let tick = 0; tick < defaultTimings.electionTimeoutTicks; tick += 1) stage.member.tick();
    expect(isAnswered(stage)).toBe(true);
    expect(isAnswered(new Stage(null))).toBe(true);
  });

  it('nor when it has heard of a higher term meanwhile, unless the leader asks for it', () => {
    const stage = new Stage();
    stage.hear(2, { kind: 'heartbeat', commit: 0, readRound: 1 }, 1);
    stage.hear(3, { kind: 'preVoteReply', granted: false }, 2);
    const vote = { kind: 'vote', lastIndex: 9, lastTerm: 1 } as const;
    expect(stage.hear(3, { ...vote, transfer: false }, 2)).toMatchObject([{ granted: false }]);
    expect(stage.hear(3, { ...vote, transfer: true }, 2)).toMatchObject([{ granted: true }]);
  });
});

describe('the length of a lease', () => {
  /** By true time: the follower's clock as fast, and the leader's as slow, as may be; the first tick comes at once. */
  it('ends before the patience of a follower, for all clocks whose rates differ by less than the bound', () => {
    const random = seededPrng(7);
    for (let i = 0; i < 1_000; i += 1) {
      const driftMax = random.nextFloat() * 0.5;
      const option = { tickMs: 1 + random.nextBelow(100), driftMax };
      const leaderRate = 0.9 + random.nextFloat() * 0.2;
      const followerRate = leaderRate / (1 - driftMax * random.nextFloat());
      const firstTickMs = (random.nextFloat() * option.tickMs) / followerRate;
      const { electionTimeoutTicks } = defaultTimings;
      const patienceMs = firstTickMs + ((electionTimeoutTicks - 1) * option.tickMs) / followerRate;
      const leaseMs = leaseLengthMs({ lease: option, timings: defaultTimings }) / leaderRate;
      expect(leaseMs).toBeLessThanOrEqual(patienceMs + 1e-9);
    }
  });
});
