/**
 * Proposals are made by any member and appended by the leader. A proposal is bound to the term in which it is made: only
 * the leader of that term may append it, and it refuses what it has seen before, so a message that is repeated or late
 * proposes nothing twice. Since terms never fall along the log, a proposal that is not applied before the first entry of
 * a later term never will be.
 */
import { type Leader, type MemberState, send } from '../member-state.js';
import type { Propose, ProposeRefusal } from '../messages.js';
import { entryKinds, type Proposal, type Term } from '../types.js';
import { lacksRoom } from '../transfer/transfer.js';
import { appendOwn } from './append-own.js';

export type ProposeResult =
  /** Appended, or on its way to the leader; bound to `term`. */
  | { readonly kind: 'accepted'; readonly term: Term }
  | { readonly kind: 'refused'; readonly reason: 'noLeader' | 'transferring' | 'overloaded' | 'diskFull' };

/** Whose disk is full learns only later what became of it, if at all: it proposes nothing. */
export function propose(state: MemberState, proposals: readonly Proposal[]): ProposeResult {
  if (state.role.kind === 'leader') {
    const obstacle = obstacleTo(state, state.role);
    if (obstacle !== null) return { kind: 'refused', reason: obstacle };
    appendAll(state, state.role, proposals);
    return { kind: 'accepted', term: state.term };
  }
  if (state.isDiskFull) return { kind: 'refused', reason: 'diskFull' };
  if (state.leader === 0) return { kind: 'refused', reason: 'noLeader' };
  const body = { kind: 'propose', session: state.proposalSession, proposals } as const;
  send(state, { to: state.leader }, body, 'nothing');
  return { kind: 'accepted', term: state.term };
}

/** At another member than the leader of the term it is silent: it cannot know what became of it. */
export function handlePropose(state: MemberState, message: Propose): void {
  const { role } = state;
  if (role.kind !== 'leader') return;
  const series = `${String(message.from)}/${String(message.session)}`;
  const newest = role.forwardedIds.get(series) ?? 0;
  const fresh = message.proposals.filter((proposal) => proposal.id > newest);
  const last = fresh.at(-1);
  if (last === undefined) return;
  role.forwardedIds.set(series, last.id);
  if (obstacleTo(state, role) === null) {
    appendAll(state, role, fresh);
    return;
  }
  const ids = fresh.map((proposal) => proposal.id);
  send(state, { to: message.from }, { kind: 'proposeRefusal', session: message.session, ids }, 'nothing');
}

export function handleProposeRefusal(state: MemberState, message: ProposeRefusal): void {
  if (message.session === state.proposalSession) state.outbox.refuse(message.ids);
}

function obstacleTo(state: MemberState, leader: Leader): 'transferring' | 'overloaded' | 'diskFull' | null {
  if (lacksRoom(state, leader)) return 'diskFull';
  if (leader.transfer !== null) return 'transferring';
  return leader.uncommittedBytes >= state.config.limits.uncommittedBytesMax ? 'overloaded' : null;
}

function appendAll(state: MemberState, leader: Leader, proposals: readonly Proposal[]): void {
  const data = proposals.map((proposal) => proposal.data);
  appendOwn(state, leader, entryKinds.command, data);
}
