import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { raftConfig } from '../config.js';
import type { Message, MessageBody } from '../messages.js';
import { emptyStoredState, RaftMember } from '../raft-member.js';
import { type MembershipRules, soundRules } from '../rules.js';
import { configurationOf } from './configuration.js';
import type { ChangeResult } from './change.js';

const at = (id: number): { id: number; seat: number } => ({ id, seat: id });
const three = configurationOf([at(1), at(2), at(3)]);

/** Member 1, with a disk that takes no time. */
class Stage {
  readonly member: RaftMember;

  constructor(rules: Partial<MembershipRules> = {}) {
    const config = raftConfig({ id: 1, random: seededPrng(1) }, { rules: { ...soundRules, ...rules } });
    this.member = new RaftMember(config, emptyStoredState(three));
  }

  hear(from: number, body: MessageBody, term = this.member.status().term): Message[] {
    this.member.step({ ...body, from, to: 1, term });
    return this.settle();
  }
  settle(): Message[] {
    const messages: Message[] = [];
    for (let i = 0; i < 5; i += 1) {
      const ready = this.member.takeReady();
      messages.push(...ready.messages);
      if (ready.persist !== null) this.member.persisted(ready.persist.id);
      const last = ready.committed.at(-1);
      if (last !== undefined) this.member.applied(last.index);
    }
    return messages;
  }
  /** Elected by 2; the entry of its term is not yet committed. */
  elect(): this {
    while (this.member.status().role === 'follower') this.member.tick();
    this.hear(2, { kind: 'preVoteReply', granted: true }, 1);
    this.hear(2, { kind: 'voteReply', granted: true });
    return this;
  }
  /** All that it has is acknowledged by these. */
  acknowledge(...ids: number[]): void {
    for (const id of ids) this.hear(id, { kind: 'appendReply', matchIndex: this.member.status().lastIndex });
  }
  add(id: number, isPromotedItself = false): ChangeResult {
    return this.member.changeConfiguration({ kind: 'add', member: at(id), isPromotedItself, replaces: 0 });
  }
}

describe('changes', () => {
  it('are made by leaders only, after an entry of their own term is committed, one at a time', () => {
    const stage = new Stage();
    expect(stage.add(4)).toEqual({ kind: 'refused', reason: 'notLeader' });
    stage.elect();
    expect(stage.add(4)).toEqual({ kind: 'refused', reason: 'notReady' });
    stage.acknowledge(2);
    expect(stage.add(4)).toEqual({ kind: 'proposed', index: 2, term: 1 });
    expect(stage.add(5)).toEqual({ kind: 'refused', reason: 'changeUnderWay' });
    stage.settle();
    stage.acknowledge(2);
    expect(stage.add(5)).toMatchObject({ kind: 'proposed' });
  });

  it('are not made while leadership is being handed over', () => {
    const stage = new Stage().elect();
    stage.acknowledge(2);
    stage.member.transferLeadership(3);
    expect(stage.add(4)).toEqual({ kind: 'refused', reason: 'notReady' });
  });

  it('of voters take two entries, the second of which follows by itself when the first is committed', () => {
    const stage = new Stage().elect();
    stage.acknowledge(2);
    expect(stage.member.changeConfiguration({ kind: 'remove', id: 3 })).toMatchObject({ index: 2 });
    stage.settle();
    expect(stage.member.status()).toMatchObject({ isJoint: true, configurationIndex: 2 });
    expect(stage.add(4)).toEqual({ kind: 'refused', reason: 'changeUnderWay' });
    stage.acknowledge(2);
    expect(stage.member.status()).toMatchObject({ isJoint: false, configurationIndex: 3, commitIndex: 2 });
    stage.acknowledge(2);
    expect(stage.member.status()).toMatchObject({ commitIndex: 3, configuration: { removed: [3] } });
  });

  it('that would lose the quorum are refused, with who is silent', () => {
    const stage = new Stage().elect();
    stage.acknowledge(2);
    for (let i = 0; i < 3; i += 1) {
      for (let tick = 0; tick < 4; tick += 1) stage.member.tick();
      stage.hear(2, { kind: 'heartbeatReply', readRound: 0, isDiskFull: false });
    }
    const removal = stage.member.changeConfiguration({ kind: 'remove', id: 2 });
    expect(removal).toEqual({ kind: 'refused', reason: 'quorumAtRisk', silent: [3] });
    expect(stage.member.changeConfiguration({ kind: 'remove', id: 3 }).kind).toBe('proposed');
  });

  it('of voters wait until a new leader has heard enough of those that are to decide', () => {
    const stage = new Stage().elect();
    stage.acknowledge(2);
    const removal = { kind: 'remove', id: 2 } as const;
    expect(stage.member.changeConfiguration(removal)).toEqual({ kind: 'refused', reason: 'notReady' });
    stage.hear(3, { kind: 'heartbeatReply', readRound: 0, isDiskFull: false });
    expect(stage.member.changeConfiguration(removal).kind).toBe('proposed');
  });

  it('make no voter of who lags, with how far it is behind', () => {
    const stage = new Stage().elect();
    stage.acknowledge(2);
    stage.add(4);
    stage.settle();
    stage.acknowledge(2);
    const promotion = { kind: 'promote', id: 4 } as const;
    const refusal = { kind: 'refused', reason: 'lagging', match: 0, lastIndex: 2 };
    expect(stage.member.changeConfiguration(promotion)).toEqual(refusal);
    stage.acknowledge(4);
    expect(stage.member.changeConfiguration(promotion)).toMatchObject({ kind: 'proposed', index: 3 });
  });

  it('bring back no id that was removed', () => {
    const stage = new Stage().elect();
    stage.acknowledge(2);
    stage.member.changeConfiguration({ kind: 'remove', id: 3 });
    stage.settle();
    stage.acknowledge(2);
    stage.acknowledge(2);
    expect(stage.add(3)).toEqual({ kind: 'refused', reason: 'idUsedBefore' });
  });
});

describe('a removed member', () => {
  const removed = (index: number): MessageBody => ({ kind: 'removed', index });

  it('ends when it is told so by a configuration that it does not know, and does not believe what it knows better', () => {
    const stage = new Stage();
    stage.member.step({ ...removed(0), from: 2, to: 1, term: 9 });
    expect(stage.member.takeReady().events).toEqual([]);
    stage.member.step({ ...removed(7), from: 2, to: 1, term: 0 });
    expect(stage.member.takeReady().events).toEqual([{ kind: 'removed', index: 7 }]);
    for (let tick = 0; tick < 40; tick += 1) stage.member.tick();
    expect(stage.settle()).toEqual([]);
    expect(stage.member.status()).toMatchObject({ role: 'follower', term: 0 });
  });

  it('ends also where it has a newer configuration that nobody else has: a leader that was cut off may leave one behind', () => {
    const stage = new Stage().elect();
    stage.acknowledge(2);
    for (let i = 0; i < 9; i += 1) stage.member.propose([{ id: i + 1, data: new Uint8Array([i]) }]);
    expect(stage.add(4)).toMatchObject({ kind: 'proposed', index: 11 });
    stage.settle();
    // The others have gone on without it, and removed it by fewer entries.
    stage.member.step({ ...removed(4), from: 2, to: 1, term: 2 });
    expect(stage.member.takeReady().events).toEqual([{ kind: 'removed', index: 4 }]);
  });

  it('is not heard, whatever its term', () => {
    const stage = new Stage().elect();
    stage.acknowledge(2);
    stage.member.changeConfiguration({ kind: 'remove', id: 3 });
    stage.settle();
    stage.acknowledge(2);
    stage.acknowledge(2);
    const vote = { kind: 'vote', lastIndex: 99, lastTerm: 5, transfer: true } as const;
    expect(stage.hear(3, vote, 6)).toEqual([{ kind: 'removed', from: 1, to: 3, term: 1, index: 3 }]);
    expect(stage.member.status()).toMatchObject({ role: 'leader', term: 1 });
  });
});
