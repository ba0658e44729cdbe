/** One member by itself: what the others say is said to it by hand. */
import { expect } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { type RaftLimits, defaultLimits, raftConfig } from '../src/config.js';
import { configurationOf } from '../src/membership/configuration.js';
import type { Message, MessageBody } from '../src/messages.js';
import { emptyStoredState, RaftMember, type StoredState } from '../src/raft-member.js';
import type { Configuration, Entry, LogIndex, Proposal, Term } from '../src/types.js';

interface Options {
  readonly stored?: StoredState;
  readonly limits?: RaftLimits;
  readonly seed?: number;
  readonly members?: readonly number[];
}

export const foundedBy = (ids: readonly number[]): Configuration =>
  configurationOf(ids.map((id) => ({ id, seat: id })));
export const founded = emptyStoredState(foundedBy([1, 2, 3]));

export function newMember({ stored, limits, seed, members }: Options = {}): RaftMember {
  const essentials = { id: 1, random: seededPrng(seed ?? 1) };
  return new RaftMember(
    raftConfig(essentials, { limits: limits ?? defaultLimits }),
    stored ?? emptyStoredState(foundedBy(members ?? [1, 2, 3])),
  );
}

export const from = (sender: number, term: Term, body: MessageBody): Message => ({
  ...body,
  from: sender,
  to: 1,
  term,
});
export const command = (index: LogIndex, term: Term): Entry => ({
  index,
  term,
  kind: 1,
  data: new Uint8Array(),
});
export const proposals = (...ids: number[]): Proposal[] =>
  ids.map((id) => ({ id, data: new Uint8Array([id]) }));

/** Does what a shell does, with a disk that takes no time. What was sent, and what was applied. */
export function settle(member: RaftMember): { messages: Message[]; applied: Entry[] } {
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
export function newLeader(options: Options = {}): RaftMember {
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
