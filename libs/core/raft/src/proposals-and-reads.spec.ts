import { describe, expect, it } from '@jest/globals';
import { founded, newMember, from, proposals, settle, newLeader } from '../test/one-member.js';
import { defaultLimits } from './config.js';
import type { Message } from './messages.js';
import { type RaftMember } from './raft-member.js';

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
