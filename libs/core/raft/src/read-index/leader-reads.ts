/**
 * The leader's side of linearizable reads without the log (6.4). A question asked now gets the commit index of now, and
 * is answered when a majority has confirmed this leadership by answering a heartbeat sent after the question: whoever
 * leads later had to be elected after it. Questions that come while a round is out make up the next one.
 */
import { invariant, type MemberId } from '@ringleader/primitives';
import { type Leader, type MemberState, send } from '../member-state.js';
import type { LogIndex, ReadContext } from '../types.js';

interface Question {
  readonly asker: MemberId;
  readonly session: number;
  readonly context: ReadContext;
}

interface Round {
  readonly number: number;
  readonly index: LogIndex;
  readonly questions: readonly Question[];
}

export interface LeaderReads {
  round: number;
  waiting: Question[];
  /** Oldest first. */
  rounds: Round[];
  /** The newest round which each member has answered. */
  readonly confirmed: Map<MemberId, number>;
}

export function newLeaderReads(): LeaderReads {
  return { round: 0, waiting: [], rounds: [], confirmed: new Map() };
}

/** Starts a round for all that wait, unless the commit index is not yet known. True if heartbeats must go out for it. */
export function startReadRound(state: MemberState, leader: Leader): boolean {
  const { reads } = leader;
  const { rules } = state.config;
  const commitTerm = state.log.termAt(state.log.commit);
  invariant(commitTerm !== null, 'the term at the commit index is known');
  if (reads.waiting.length === 0 || !rules.knowsCommitIndex(commitTerm, state.term)) return false;
  reads.round += 1;
  reads.rounds.push({ number: reads.round, index: state.log.commit, questions: reads.waiting });
  reads.waiting = [];
  answerConfirmed(state, leader);
  return reads.rounds.length > 0;
}

export function confirmRound(state: MemberState, leader: Leader, from: MemberId, round: number): void {
  const { confirmed } = leader.reads;
  confirmed.set(from, Math.max(confirmed.get(from) ?? 0, round));
  answerConfirmed(state, leader);
}

function answerConfirmed(state: MemberState, leader: Leader): void {
  const { reads } = leader;
  const memberCount = state.config.members.length;
  let round = reads.rounds[0];
  while (round !== undefined) {
    const { number } = round;
    const confirmations = 1 + [...reads.confirmed.values()].filter((r) => r >= number).length;
    if (!state.config.rules.isReadConfirmed(confirmations, memberCount)) return;
    for (const question of round.questions) answer(state, question, round.index);
    reads.rounds.shift();
    round = reads.rounds[0];
  }
}

function answer(state: MemberState, { asker, session, context }: Question, index: LogIndex): void {
  if (asker === state.config.id) state.outbox.answerRead({ context, index });
  else send(state, { to: asker }, { kind: 'readReply', session, context, index }, 'nothing');
}
