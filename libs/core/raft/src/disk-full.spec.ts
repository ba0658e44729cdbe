import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { raftConfig } from './config.js';
import { configurationOf } from './membership/configuration.js';
import type { Message, MessageBody } from './messages.js';
import { emptyStoredState, RaftMember } from './raft-member.js';
import { type Entry, type EntryKind, entryKinds, type LogIndex, type Term } from './types.js';

const founded = emptyStoredState(configurationOf([1, 2, 3].map((id) => ({ id, seat: id }))));

function newMember(): RaftMember {
  return new RaftMember(raftConfig({ id: 1, random: seededPrng(1) }), founded);
}

const from = (sender: number, term: Term, body: MessageBody): Message => ({
  ...body,
  from: sender,
  to: 1,
  term,
});
const entry = (index: LogIndex, kind: EntryKind = entryKinds.command): Entry => ({
  index,
  term: 1,
  kind,
  data: new Uint8Array(kind === entryKinds.noop ? 0 : 1),
});
const append = (prevIndex: LogIndex, entries: readonly Entry[]): Message =>
  from(2, 1, { kind: 'append', prevIndex, prevTerm: prevIndex === 0 ? 0 : 1, entries, commit: 0 });
const heard = (sender: number, isDiskFull: boolean): Message =>
  from(sender, 1, { kind: 'heartbeatReply', readRound: 0, isDiskFull });
const proposal = { id: 1, data: new Uint8Array([1]) };

/** As a shell whose disk takes whatever it is given. */
function settle(member: RaftMember): Message[] {
  const messages: Message[] = [];
  for (let i = 0; i < 10; i += 1) {
    const ready = member.takeReady();
    if (ready.persist !== null) member.persisted(ready.persist.id);
    messages.push(...ready.messages);
    const last = ready.committed.at(-1);
    if (last !== undefined) member.applied(last.index);
  }
  return messages;
}

function newLeader(): RaftMember {
  const member = newMember();
  while (member.status().role === 'follower') member.tick();
  member.step(from(2, 1, { kind: 'preVoteReply', granted: true }));
  settle(member);
  member.step(from(2, 1, { kind: 'voteReply', granted: true }));
  settle(member);
  for (const follower of [2, 3]) member.step(from(follower, 1, { kind: 'appendReply', matchIndex: 1 }));
  settle(member);
  return member;
}

const sentTo = (to: number, messages: readonly Message[], kind: Message['kind']): Message[] =>
  messages.filter((message) => message.to === to && message.kind === kind);

describe('a follower whose disk is full', () => {
  it('takes in no entries, says so in answer to heartbeats, and goes on when there is room', () => {
    const member = newMember();
    member.step(append(0, [entry(1, entryKinds.noop)]));
    settle(member);
    member.setRoom(false);
    member.step(append(1, [entry(2)]));
    member.step(from(2, 1, { kind: 'heartbeat', commit: 0, readRound: 3 }));
    expect(settle(member)).toEqual([
      { kind: 'heartbeatReply', from: 1, to: 2, term: 1, readRound: 3, isDiskFull: true },
    ]);
    expect(member.status()).toMatchObject({ lastIndex: 1, isDiskFull: true });
    member.setRoom(true);
    member.step(append(1, [entry(2)]));
    expect(settle(member)).toEqual([{ kind: 'appendReply', from: 1, to: 2, term: 1, matchIndex: 2 }]);
  });

  it('takes in what opens a term, and votes', () => {
    const member = newMember();
    member.setRoom(false);
    member.step(append(0, [entry(1, entryKinds.noop)]));
    expect(sentTo(2, settle(member), 'appendReply')).toMatchObject([{ matchIndex: 1 }]);
    member.step(from(3, 2, { kind: 'vote', lastIndex: 1, lastTerm: 1, transfer: true }));
    expect(sentTo(3, settle(member), 'voteReply')).toMatchObject([{ granted: true, term: 2 }]);
  });

  it('acknowledges what turned out not to fit when it is on the disk, not before; votes go by it', () => {
    const member = newMember();
    member.step(append(0, [entry(1), entry(2)]));
    const { persist } = member.takeReady();
    expect(persist?.entries).toHaveLength(2);
    const instead = member.withoutRoom(persist!.id);
    expect(instead).toMatchObject({ id: persist!.id, entries: [], hardState: { term: 1 } });
    member.persisted(instead.id);
    // Offered again, they are no news, and still on no disk.
    member.step(append(0, [entry(1), entry(2)]));
    member.step(from(3, 2, { kind: 'vote', lastIndex: 2, lastTerm: 1, transfer: true }));
    const meanwhile = settle(member);
    expect(sentTo(2, meanwhile, 'appendReply')).toEqual([]);
    expect(sentTo(3, meanwhile, 'voteReply')).toHaveLength(1);
    member.setRoom(true);
    const again = member.takeReady();
    expect(again.persist?.entries.map(({ index }) => index)).toEqual([1, 2]);
    expect(sentTo(2, again.messages, 'appendReply')).toEqual([]);
    member.persisted(again.persist!.id);
    expect(sentTo(2, settle(member), 'appendReply')).toContainEqual(
      expect.objectContaining({ matchIndex: 2 }),
    );
  });

  it('never calls committed on its disk what is not there', () => {
    const member = newMember();
    member.step(append(0, [entry(1), entry(2)]));
    const { persist } = member.takeReady();
    member.step(from(2, 1, { kind: 'heartbeat', commit: 2, readRound: 0 }));
    expect(member.status().commitIndex).toBe(2);
    const { hardState } = member.withoutRoom(persist!.id);
    expect(hardState.commit).toBe(0);
    member.persisted(persist!.id);
    expect(member.takeReady().committed).toEqual([]);
  });

  it('leaves elections to those that have room, for a time', () => {
    const [patient, usual] = [newMember(), newMember()];
    patient.setRoom(false);
    const ticksUntilCandidacy = (member: RaftMember): number => {
      let ticks = 0;
      for (; member.status().role === 'follower'; ticks += 1) member.tick();
      return ticks;
    };
    expect(ticksUntilCandidacy(usual)).toBeLessThan(20);
    expect(ticksUntilCandidacy(patient)).toBeGreaterThanOrEqual(20);
  });
});

describe('a leader', () => {
  it('whose disk is full hands over to a member that has room, and proposes nothing', () => {
    const member = newLeader();
    member.step(heard(2, true));
    member.step(heard(3, false));
    member.setRoom(false);
    expect(member.propose([proposal])).toEqual({ kind: 'refused', reason: 'diskFull' });
    member.tick();
    expect(settle(member).filter(({ kind }) => kind === 'timeoutNow')).toMatchObject([{ to: 3 }]);
  });

  it('whose disk is full as all others are stays, and says why it proposes nothing', () => {
    const member = newLeader();
    member.step(heard(2, true));
    member.step(heard(3, true));
    member.setRoom(false);
    member.tick();
    expect(settle(member).filter(({ kind }) => kind === 'timeoutNow')).toEqual([]);
    expect(member.propose([proposal])).toEqual({ kind: 'refused', reason: 'diskFull' });
    expect(member.status().isMajorityFull).toBe(true);
    member.step(from(2, 1, { kind: 'propose', session: 7, proposals: [proposal] }));
    expect(sentTo(2, settle(member), 'proposeRefusal')).toHaveLength(1);
  });

  it('that has room proposes as long as a majority has', () => {
    const member = newLeader();
    member.step(heard(2, true));
    expect(member.propose([proposal])).toMatchObject({ kind: 'accepted' });
    expect(member.status().isMajorityFull).toBe(false);
    member.step(heard(3, true));
    expect(member.propose([proposal])).toEqual({ kind: 'refused', reason: 'diskFull' });
    expect(member.status().isMajorityFull).toBe(true);
  });

  it('sends no entries to whom has no room, and all that are missing when it has', () => {
    const member = newLeader();
    member.step(heard(2, true));
    member.propose([proposal]);
    const messages = settle(member);
    expect(sentTo(2, messages, 'append')).toEqual([]);
    expect(sentTo(3, messages, 'append')).toHaveLength(1);
    member.step(heard(2, false));
    expect(sentTo(2, settle(member), 'append')).toMatchObject([{ prevIndex: 1, entries: [{ index: 2 }] }]);
  });

  it('holds no log back for one that has no room', () => {
    const member = newLeader();
    for (let i = 0; i < 5; i += 1) member.propose([{ id: i + 1, data: new Uint8Array(1) }]);
    settle(member);
    member.step(from(3, 1, { kind: 'appendReply', matchIndex: 6 }));
    settle(member);
    member.compact(member.status().appliedIndex);
    member.step(from(2, 1, { kind: 'appendRefusal', refusedIndex: 5, hintIndex: 0, hintTerm: 0 }));
    expect(member.takeReady().snapshotWanted).toBe(true);
    member.step(heard(2, true));
    expect(member.takeReady().snapshotWanted).toBe(false);
  });
});
