import { describe, expect, it } from '@jest/globals';
import { founded, newMember, from, proposals, settle, newLeader } from '../test/one-member.js';
import { defaultLimits } from './config.js';
import type { Message } from './messages.js';
import { type RaftMember } from './raft-member.js';

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
