/**
 * The leader's side of linearizable reads without the log (6.4). A question asked now gets the commit index of now, and
 * is answered when a majority has confirmed this leadership by answering a heartbeat sent after the question: whoever
 * leads later had to be elected after it. One round is out at a time: questions that come meanwhile make up the next one, however
 * many they are. A round whose heartbeats were lost is confirmed by the answers to the next regular ones, which name it too.
 */
import { invariant } from '@ringleader/primitives';
import { type Leader, type MemberState, resultOf, send } from '../member-state.js';
import type { MemberId, LogIndex } from '../types.js';
import { hasLease } from './lease.js';
import type { Question } from './reads.js';

/** Starts a round for all that wait, unless a lease spares it, one is out, or the commit index is not yet known. True if heartbeats must go out for it. */
export function startReadRound(state: MemberState, leader: Leader): boolean {
  const { reads } = leader;
  // Those who were asked may have left the group since: who is left may suffice, and nobody else will answer.
  answerConfirmed(state, leader);
  if (reads.waiting.length === 0) return false;
  const { rules } = state.config;
  const commitTerm = state.log.termAt(state.log.commit);
  invariant(commitTerm !== null, 'the term at the commit index is known');
  if (!rules.knowsCommitIndex(commitTerm, state.term)) return false;
  if (hasLease(state, leader)) {
    for (const question of reads.waiting) answer(state, question, state.log.commit);
    reads.waiting = [];
    return false;
  }
  if (reads.underWay !== null) return false;
  reads.round += 1;
  reads.underWay = { number: reads.round, index: state.log.commit, questions: reads.waiting };
  reads.waiting = [];
  answerConfirmed(state, leader);
  return reads.underWay !== null;
}

export function confirmRound(state: MemberState, leader: Leader, from: MemberId, round: number): void {
  const { confirmed } = leader.reads;
  confirmed.set(from, Math.max(confirmed.get(from) ?? 0, round));
  answerConfirmed(state, leader);
}

function answerConfirmed(state: MemberState, { reads }: Leader): void {
  const round = reads.underWay;
  if (round === null) return;
  const confirmations = new Map([[state.config.id, true]]);
  for (const [id, number] of reads.confirmed) if (number >= round.number) confirmations.set(id, true);
  if (!state.config.rules.isReadConfirmed(resultOf(state, confirmations))) return;
  reads.underWay = null;
  for (const question of round.questions) answer(state, question, round.index);
}

function answer(state: MemberState, { asker, session, context }: Question, index: LogIndex): void {
  if (asker === state.config.id) state.outbox.answerRead({ context, index });
  else send(state, { to: asker }, { kind: 'readReply', session, context, index }, 'nothing');
}
