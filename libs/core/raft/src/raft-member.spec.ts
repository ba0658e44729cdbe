import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { founded, newMember, from, command, proposals, settle, newLeader } from '../test/one-member.js';
import { raftConfig } from './config.js';
import type { Message } from './messages.js';
import { TERM_LEAP_MAX } from './plausible.js';
import type { Entry } from './types.js';

describe('what no member says', () => {
  it('a term that leaps is not taken over, and one within reach is', () => {
    const member = newMember();
    const at = (term: number): Message => from(2, term, { kind: 'heartbeat', commit: 0, readRound: 0 });
    member.step(at(TERM_LEAP_MAX + 1));
    const { events } = member.takeReady();
    expect(events).toEqual([{ kind: 'implausible', from: 2, what: 'heartbeat' }]);
    expect(member.status().term).toBe(0);
    member.step(at(TERM_LEAP_MAX));
    expect(member.status().term).toBe(TERM_LEAP_MAX);
  });

  it('a read round that is yet to come confirms nothing', () => {
    const member = newLeader();
    const { term } = member.status();
    member.step(from(2, term, { kind: 'appendReply', matchIndex: 1 }));
    member.step(from(2, term, { kind: 'heartbeatReply', readRound: 100, isDiskFull: false }));
    settle(member);
    member.requestRead(1);
    member.tick();
    expect(member.takeReady().reads).toEqual([]);
    member.step(from(2, term, { kind: 'heartbeatReply', readRound: 1, isDiskFull: false }));
    expect(member.takeReady().reads).toEqual([{ context: 1, index: 1 }]);
  });

  it('that a follower has what it goes on refusing is not believed for ever', () => {
    const member = newLeader();
    const { term } = member.status();
    member.propose(proposals(1, 2));
    settle(member);
    member.step(from(2, term, { kind: 'appendReply', matchIndex: 3 }));
    member.propose(proposals(3));
    const refusal = { kind: 'appendRefusal', refusedIndex: 3, hintIndex: 1, hintTerm: term } as const;
    const appendsFrom = new Set<number>();
    for (let tick = 0; tick < 100; tick += 1) {
      member.tick();
      member.step(from(2, term, { kind: 'heartbeatReply', readRound: 0, isDiskFull: false }));
      member.step(from(2, term, refusal));
      for (const message of settle(member).messages)
        if (message.kind === 'append' && message.to === 2) appendsFrom.add(message.prevIndex);
    }
    expect(Math.min(...appendsFrom)).toBe(1);
  });

  it('another leader of its own term deposes nobody', () => {
    const member = newLeader();
    member.step(from(3, member.status().term, { kind: 'heartbeat', commit: 0, readRound: 0 }));
    expect(member.status().role).toBe('leader');
  });

  it('entries of terms that are not in order, and of later ones than the leader, are not written', () => {
    const member = newMember();
    const append = (...terms: number[]): Message => {
      const entries = terms.map((term, i) => command(i + 1, term));
      return from(2, 5, { kind: 'append', prevIndex: 0, prevTerm: 0, entries, commit: 0 });
    };
    member.step(append(3, 2));
    member.step(append(3, 6));
    expect(member.status().lastIndex).toBe(0);
    member.step(append(3, 5));
    expect(member.status().lastIndex).toBe(2);
  });
});

describe('votes', () => {
  const voted = { ...founded, hardState: { term: 4, vote: 2, commit: 0 } };

  it('are remembered across a restart: one per term', () => {
    const member = newMember({ stored: voted });
    const vote = { kind: 'vote', lastIndex: 0, lastTerm: 0, transfer: false } as const;
    member.step(from(3, 4, vote));
    member.step(from(2, 4, vote));
    expect(settle(member).messages).toEqual([
      { kind: 'voteReply', from: 1, to: 3, term: 4, granted: false },
      { kind: 'voteReply', from: 1, to: 2, term: 4, granted: true },
    ]);
  });

  it('leave only when they are on disk', () => {
    const member = newMember();
    member.step(from(2, 1, { kind: 'vote', lastIndex: 0, lastTerm: 0, transfer: false }));
    const ready = member.takeReady();
    expect(ready.messages).toEqual([]);
    expect(ready.persist?.hardState).toEqual({ term: 1, vote: 2, commit: 0 });
    member.persisted(ready.persist!.id);
    expect(member.takeReady().messages).toMatchObject([{ kind: 'voteReply', granted: true }]);
  });

  it('of the candidate for itself count when they are on disk', () => {
    const member = newMember({ members: [1] });
    while (member.status().role === 'follower') member.tick();
    expect(member.status().role).toBe('candidate');
    const ready = member.takeReady();
    expect(member.status().role).toBe('candidate');
    member.persisted(ready.persist!.id);
    expect(member.status().role).toBe('leader');
  });

  it('of an older candidacy do not count', () => {
    const member = newMember();
    while (member.status().role === 'follower') member.tick();
    member.step(from(2, 7, { kind: 'preVoteReply', granted: true }));
    expect(member.status()).toMatchObject({ role: 'preCandidate', term: 0 });
  });

  it('of strangers are not heard', () => {
    const member = newMember();
    while (member.status().role === 'follower') member.tick();
    member.step(from(9, 1, { kind: 'preVoteReply', granted: true }));
    expect(member.status().role).toBe('preCandidate');
  });
});

describe('timeouts', () => {
  it('are spread over a whole election timeout', () => {
    const ticks = new Set<number>();
    for (let seed = 0; seed < 200; seed += 1) {
      const member = newMember({ seed });
      let count = 0;
      while (member.status().role === 'follower') {
        member.tick();
        count += 1;
      }
      ticks.add(count);
    }
    expect([...ticks].sort((a, b) => a - b)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });
});

describe('a follower', () => {
  it('does not cut off what it acknowledged when an older Append comes late', () => {
    const member = newMember();
    const append = (...entries: Entry[]): Message =>
      from(2, 1, { kind: 'append', prevIndex: 0, prevTerm: 0, entries, commit: 0 });
    member.step(append(command(1, 1), command(2, 1), command(3, 1)));
    member.step(append(command(1, 1)));
    expect(member.status().lastIndex).toBe(3);
  });

  it('commits only up to what the message showed to match', () => {
    const stored = {
      ...founded,
      hardState: { term: 1, vote: 0, commit: 0 },
      entries: [command(1, 1), command(2, 1), command(3, 1)],
    };
    const member = newMember({ stored });
    member.step(from(2, 2, { kind: 'append', prevIndex: 1, prevTerm: 1, entries: [], commit: 3 }));
    expect(member.status().commitIndex).toBe(1);
  });

  it('answers an Append from before its commit index with what is settled', () => {
    const stored = {
      ...founded,
      hardState: { term: 1, vote: 0, commit: 9 },
      base: { ...founded.base, point: { index: 9, term: 1 } },
    };
    const member = newMember({ stored });
    member.step(
      from(2, 1, { kind: 'append', prevIndex: 3, prevTerm: 1, entries: [command(4, 1)], commit: 4 }),
    );
    expect(settle(member).messages).toMatchObject([{ kind: 'appendReply', matchIndex: 9 }]);
  });

  it('tells a leader of the past the present term', () => {
    const member = newMember({ stored: { ...founded, hardState: { term: 5, vote: 0, commit: 0 } } });
    member.step(from(2, 3, { kind: 'heartbeat', commit: 0, readRound: 4 }));
    expect(settle(member).messages).toEqual([
      { kind: 'heartbeatReply', from: 1, to: 2, term: 5, readRound: 0, isDiskFull: false },
    ]);
  });
});

describe('what a member is set to', () => {
  it('is checked', () => {
    const random = seededPrng(1);
    expect(() => raftConfig({ id: 0, random })).toThrow('a positive integer');
    const timings = { electionTimeoutTicks: 2, heartbeatIntervalTicks: 2, resendIntervalTicks: 1 };
    expect(() => raftConfig({ id: 1, random }, { timings })).toThrow('must exceed');
  });
});
