import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { type RaftLimits, defaultLimits, raftConfig } from './config.js';
import type { Message, MessageBody } from './messages.js';
import { TERM_LEAP_MAX } from './plausible.js';
import { configurationOf } from './membership/configuration.js';
import { emptyStoredState, RaftMember, type StoredState } from './raft-member.js';
import type { Configuration, Entry, LogIndex, Proposal, Term } from './types.js';

interface Options {
  readonly stored?: StoredState;
  readonly limits?: RaftLimits;
  readonly seed?: number;
  readonly members?: readonly number[];
}

const foundedBy = (ids: readonly number[]): Configuration =>
  configurationOf(ids.map((id) => ({ id, seat: id })));
const founded = emptyStoredState(foundedBy([1, 2, 3]));

function newMember({ stored, limits, seed, members }: Options = {}): RaftMember {
  const essentials = { id: 1, random: seededPrng(seed ?? 1) };
  return new RaftMember(
    raftConfig(essentials, { limits: limits ?? defaultLimits }),
    stored ?? emptyStoredState(foundedBy(members ?? [1, 2, 3])),
  );
}

const from = (sender: number, term: Term, body: MessageBody): Message => ({
  ...body,
  from: sender,
  to: 1,
  term,
});
const command = (index: LogIndex, term: Term): Entry => ({ index, term, kind: 1, data: new Uint8Array() });
const proposals = (...ids: number[]): Proposal[] => ids.map((id) => ({ id, data: new Uint8Array([id]) }));

/** Does what a shell does, with a disk that takes no time. What was sent, and what was applied. */
function settle(member: RaftMember): { messages: Message[]; applied: Entry[] } {
  const messages: Message[] = [];
  const applied: Entry[] = [];
  for (let i = 0; i < 10; i += 1) {
    const ready = member.takeReady();
    if (ready.persist !== null) member.persisted(ready.persist.id);
    messages.push(...ready.messages);
    applied.push(...ready.committed);
    const last = ready.committed.at(-1);
    if (last !== undefined) member.applied(last.index);
  }
  return { messages, applied };
}

/** Elects it by the vote of member 2. */
function newLeader(options: Options = {}): RaftMember {
  const member = newMember(options);
  while (member.status().role === 'follower') member.tick();
  const { term } = member.status();
  member.step(from(2, term + 1, { kind: 'preVoteReply', granted: true }));
  settle(member);
  member.step(from(2, term + 1, { kind: 'voteReply', granted: true }));
  settle(member);
  expect(member.status().role).toBe('leader');
  return member;
}

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

describe('a leader', () => {
  it('counts itself only with what its own disk has', () => {
    const leader = newLeader();
    leader.propose(proposals(1));
    const ready = leader.takeReady();
    leader.step(from(2, 1, { kind: 'appendReply', matchIndex: 1 }));
    expect(leader.status().commitIndex).toBe(1);
    leader.persisted(ready.persist!.id);
    // Member 2 has only the first entry, this one has both: that is no majority for the second.
    expect(leader.status()).toMatchObject({ lastIndex: 2, commitIndex: 1 });
    leader.step(from(3, 1, { kind: 'appendReply', matchIndex: 2 }));
    expect(leader.status().commitIndex).toBe(2);
  });

  it('sends all proposals of a turn in one Append per follower', () => {
    const leader = newLeader();
    leader.step(from(2, 1, { kind: 'appendReply', matchIndex: 1 }));
    settle(leader);
    leader.propose(proposals(1, 2));
    leader.propose(proposals(3));
    const appends = leader
      .takeReady()
      .messages.filter((message) => message.kind === 'append' && message.to === 2);
    expect(appends).toMatchObject([{ prevIndex: 1, entries: [{ index: 2 }, { index: 3 }, { index: 4 }] }]);
  });

  it('refuses proposals while too much is not committed', () => {
    const leader = newLeader({ limits: { ...defaultLimits, uncommittedBytesMax: 100 } });
    const large = [{ id: 1, data: new Uint8Array(200) }];
    expect(leader.propose(large)).toEqual({ kind: 'accepted', term: 1 });
    expect(leader.propose(large)).toEqual({ kind: 'refused', reason: 'overloaded' });
    settle(leader);
    leader.step(from(2, 1, { kind: 'appendReply', matchIndex: 2 }));
    expect(leader.propose(large).kind).toBe('accepted');
  });

  it('ignores a match that its log does not reach', () => {
    const leader = newLeader();
    leader.step(from(2, 1, { kind: 'appendReply', matchIndex: 99 }));
    expect(leader.status().commitIndex).toBe(0);
  });
});

describe('the window of a follower', () => {
  const inFlightAppendsMax = 4;
  const limits = { ...defaultLimits, appendBytesMax: 1, inFlightAppendsMax };
  const heard = { kind: 'heartbeatReply', readRound: 0, isDiskFull: false } as const;
  const sentTo2 = (messages: readonly Message[]): Message[] =>
    messages.filter(({ kind, to }) => kind === 'append' && to === 2);

  it('is all that it is sent, however long it answers heartbeats and nothing else', () => {
    const leader = newLeader({ limits });
    for (const follower of [2, 3]) leader.step(from(follower, 1, { kind: 'appendReply', matchIndex: 1 }));
    let furthest = 0;
    for (let i = 1; i <= 50; i += 1) {
      leader.propose(proposals(i));
      leader.step(from(2, 1, heard));
      leader.step(from(3, 1, { kind: 'appendReply', matchIndex: i }));
      for (const message of sentTo2(settle(leader).messages)) {
        if (message.kind === 'append')
          furthest = Math.max(furthest, message.prevIndex + message.entries.length);
      }
    }
    expect(furthest).toBe(1 + inFlightAppendsMax);
  });

  it('does not stay full where all that was in it is lost', () => {
    const leader = newLeader({ limits });
    leader.step(from(2, 1, { kind: 'appendReply', matchIndex: 1 }));
    for (let i = 1; i <= 10; i += 1) leader.propose(proposals(i));
    settle(leader);
    leader.step(from(2, 1, heard));
    expect(sentTo2(settle(leader).messages)).toMatchObject([{ prevIndex: 5, entries: [] }]);
    leader.step(from(2, 1, { kind: 'appendRefusal', refusedIndex: 5, hintIndex: 1, hintTerm: 1 }));
    expect(sentTo2(settle(leader).messages)).toMatchObject([{ prevIndex: 1, entries: [{ index: 2 }] }]);
  });
});

describe('forwarded proposals', () => {
  const propose = (session: number, ...ids: number[]): Message =>
    from(2, 1, { kind: 'propose', session, proposals: proposals(...ids) });
  const logOf = (leader: RaftMember): number => leader.status().lastIndex;

  it('are appended once, however often they arrive', () => {
    const leader = newLeader();
    leader.step(propose(7, 1, 2));
    leader.step(propose(7, 1, 2));
    leader.step(propose(7, 2, 3));
    expect(logOf(leader)).toBe(1 + 3);
  });

  it('that were overtaken are left out, without a word: they may be a repetition', () => {
    const leader = newLeader();
    leader.step(propose(7, 5));
    leader.step(propose(7, 4));
    expect(logOf(leader)).toBe(1 + 1);
    expect(settle(leader).messages.filter(({ kind }) => kind === 'proposeRefusal')).toEqual([]);
  });

  it('that are repeated stay repeats, however high a number is said in that name', () => {
    const leader = newLeader();
    leader.step(propose(7, 1));
    leader.step(propose(7, 2 ** 50));
    leader.step(propose(7, 1));
    expect(logOf(leader)).toBe(1 + 2);
  });

  it('are of another series when the one before was not answered', () => {
    const member = newMember();
    member.step(from(2, 1, { kind: 'heartbeat', commit: 0, readRound: 0 }));
    const seriesOf = (id: number): number => {
      member.propose(proposals(id));
      const said = settle(member).messages.find(({ kind }) => kind === 'propose');
      return said?.kind === 'propose' ? said.session : 0;
    };
    const first = seriesOf(1);
    expect(seriesOf(2)).toBe(first);
    member.renewProposals();
    const second = seriesOf(3);
    expect(second).not.toBe(first);
    member.step(from(2, 1, { kind: 'proposeRefusal', session: second, ids: [3] }));
    expect(member.takeReady().refused).toEqual([3]);
  });

  it('of another series of the proposer count anew', () => {
    const leader = newLeader();
    leader.step(propose(7, 5));
    leader.step(propose(8, 1));
    expect(logOf(leader)).toBe(1 + 2);
  });

  it('that are refused stay refused when they arrive again', () => {
    const leader = newLeader({ limits: { ...defaultLimits, uncommittedBytesMax: 30 } });
    leader.step(propose(7, 1));
    leader.step(propose(7, 2));
    expect(settle(leader).messages.filter(({ kind }) => kind === 'proposeRefusal')).toMatchObject([
      { ids: [2] },
    ]);
    leader.step(from(2, 1, { kind: 'appendReply', matchIndex: 2 }));
    leader.step(propose(7, 2));
    expect(logOf(leader)).toBe(1 + 1);
  });

  it('of an earlier term are not appended', () => {
    const leader = newLeader({ stored: { ...founded, hardState: { term: 5, vote: 0, commit: 0 } } });
    leader.step(from(2, 5, { kind: 'propose', session: 7, proposals: proposals(1) }));
    expect(logOf(leader)).toBe(1);
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

describe('questions of readers', () => {
  it('are not answered by what was meant for an earlier run of the process', () => {
    const heartbeat = from(2, 1, { kind: 'heartbeat', commit: 0, readRound: 0 });
    const ask = (seed: number): { member: RaftMember; session: number } => {
      const member = newMember({ seed });
      member.step(heartbeat);
      expect(member.requestRead(1)).toBe(true);
      const request = settle(member).messages.find(({ kind }) => kind === 'readRequest');
      return { member, session: request?.kind === 'readRequest' ? request.session : 0 };
    };
    const before = ask(1);
    const { member, session } = ask(2);
    member.step(from(2, 1, { kind: 'readReply', session: before.session, context: 1, index: 5 }));
    expect(member.takeReady().reads).toEqual([]);
    member.step(from(2, 1, { kind: 'readReply', session, context: 1, index: 7 }));
    expect(member.takeReady().reads).toEqual([{ context: 1, index: 7 }]);
  });
});

describe('a leader that is asked to read', () => {
  const heartbeats = (messages: readonly Message[]): Message[] =>
    messages.filter(({ kind }) => kind === 'heartbeat');

  it('has one round out at a time: what is asked meanwhile makes up the next one', () => {
    const leader = newLeader();
    leader.step(from(2, 1, { kind: 'appendReply', matchIndex: 1 }));
    settle(leader);
    leader.requestRead(1);
    expect(heartbeats(settle(leader).messages)).toMatchObject([{ readRound: 1 }, { readRound: 1 }]);
    leader.requestRead(2);
    leader.requestRead(3);
    expect(heartbeats(settle(leader).messages)).toEqual([]);
    leader.step(from(2, 1, { kind: 'heartbeatReply', readRound: 1, isDiskFull: false }));
    const ready = leader.takeReady();
    expect(ready.reads).toEqual([{ context: 1, index: 1 }]);
    expect(heartbeats(ready.messages)).toMatchObject([{ readRound: 2 }, { readRound: 2 }]);
    leader.step(from(3, 1, { kind: 'heartbeatReply', readRound: 2, isDiskFull: false }));
    expect(leader.takeReady().reads).toEqual([
      { context: 2, index: 1 },
      { context: 3, index: 1 },
    ]);
  });

  it('names a round whose heartbeats were lost in the next regular ones', () => {
    const leader = newLeader();
    leader.step(from(2, 1, { kind: 'appendReply', matchIndex: 1 }));
    leader.requestRead(1);
    settle(leader);
    for (let tick = 0; tick < 2; tick += 1) leader.tick();
    expect(heartbeats(settle(leader).messages)).toMatchObject([{ readRound: 1 }, { readRound: 1 }]);
  });
});

describe('what the shell reports', () => {
  const appendsTo = (messages: readonly Message[], to: number): Message[] =>
    messages.filter((message) => message.kind === 'append' && message.to === to);

  it('of a member that cannot be reached: it gets one Append at a time until it answers', () => {
    const leader = newLeader();
    leader.step(from(2, 1, { kind: 'appendReply', matchIndex: 1 }));
    leader.step(from(3, 1, { kind: 'appendReply', matchIndex: 1 }));
    settle(leader);
    leader.reportUnreachable(3);
    const sent: Message[] = [];
    for (let i = 1; i <= 3; i += 1) {
      leader.propose(proposals(i));
      sent.push(...settle(leader).messages);
    }
    expect([appendsTo(sent, 2).length, appendsTo(sent, 3).length]).toEqual([3, 1]);
    leader.step(from(3, 1, { kind: 'appendReply', matchIndex: 1 }));
    expect(appendsTo(settle(leader).messages, 3)).toMatchObject([{ prevIndex: 1 }]);
  });

  /** Member 3 is being sent a snapshot. */
  function newSender(): RaftMember {
    const point = { index: 9, term: 1 };
    const base = { ...founded.base, point };
    const leader = newLeader({ stored: { hardState: { term: 1, vote: 0, commit: 9 }, base, entries: [] } });
    leader.applied(9);
    leader.step(from(3, 2, { kind: 'appendRefusal', refusedIndex: 9, hintIndex: 0, hintTerm: 0 }));
    settle(leader);
    const chunks = [Uint8Array.of(1), Uint8Array.of(2)];
    leader.provideSnapshot({ ...point, configuration: base.configuration, chunks });
    expect(settle(leader).messages).toMatchObject([{ kind: 'snapshotChunk', chunkIndex: 0 }]);
    return leader;
  }

  it('of a snapshot that failed: it begins anew when the follower answers a heartbeat', () => {
    const leader = newSender();
    leader.reportSnapshot(3, false);
    expect(settle(leader).messages.filter(({ to }) => to === 3)).toEqual([]);
    leader.step(from(3, 2, { kind: 'heartbeatReply', readRound: 0, isDiskFull: false }));
    expect(settle(leader).messages).toMatchObject([{ kind: 'snapshotChunk', chunkIndex: 0 }]);
  });

  it('of a snapshot that is installed: the follower gets what comes after it', () => {
    const leader = newSender();
    leader.reportSnapshot(3, true);
    expect(appendsTo(settle(leader).messages, 3)).toMatchObject([{ prevIndex: 9, entries: [{ index: 10 }] }]);
  });

  it('of strangers, and at others than leaders, is ignored', () => {
    const leader = newLeader();
    leader.reportUnreachable(9);
    leader.reportSnapshot(9, false);
    newMember().reportUnreachable(2);
    expect(leader.status().role).toBe('leader');
  });
});

describe('a snapshot that is being sent', () => {
  it('is not replaced by a newer one: its chunks go on', () => {
    const stored = {
      hardState: { term: 1, vote: 0, commit: 9 },
      base: { ...founded.base, point: { index: 9, term: 1 } },
      entries: [],
    };
    const leader = newLeader({ stored });
    leader.applied(9);
    leader.step(from(3, 2, { kind: 'appendRefusal', refusedIndex: 9, hintIndex: 0, hintTerm: 0 }));
    const chunk = (index: number): Uint8Array => new Uint8Array([index]);
    leader.takeReady();
    const { configuration } = founded.base;
    leader.provideSnapshot({ index: 9, term: 1, configuration, chunks: [chunk(1), chunk(2)] });
    const chunks = (): Message[] =>
      leader.takeReady().messages.filter(({ kind }) => kind === 'snapshotChunk');
    expect(chunks()).toMatchObject([{ point: { index: 9 }, chunkIndex: 0, chunkCount: 2, data: chunk(1) }]);
    leader.provideSnapshot({ index: 10, term: 2, configuration, chunks: [chunk(7), chunk(8), chunk(9)] });
    leader.step(
      from(3, 2, { kind: 'snapshotReply', point: { index: 9, term: 1 }, chunkIndex: 0, nextChunk: 1 }),
    );
    expect(chunks()).toMatchObject([{ point: { index: 9 }, chunkIndex: 1, chunkCount: 2, data: chunk(2) }]);
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
