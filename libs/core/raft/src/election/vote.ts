/** The voter's side of an election (3.4, 3.6.1, 9.6). */
import { type MemberState, send } from '../member-state.js';
import type { PreVote, Vote } from '../messages.js';
import { setTerm } from '../member-state.js';
import { resetTimer } from './roles.js';

/** Leader stickiness (4.2.3): who hears from a leader has no reason to replace it. A leader itself checks its quorum. */
export function hearsFromLeader(state: MemberState): boolean {
  const { timings, lease } = state.config;
  if (lease !== null && state.ticksSinceLeader < timings.electionTimeoutTicks) return true;
  return state.leader !== 0 && state.elapsedTicks < timings.electionTimeoutTicks;
}

export function handlePreVote(state: MemberState, message: PreVote): void {
  const granted = message.term > state.term && isUpToDate(state, message);
  const term = granted ? message.term : state.term;
  send(state, { to: message.from, term }, { kind: 'preVoteReply', granted }, 'hardState');
}

/** The message's term is this member's own by now. */
export function handleVote(state: MemberState, message: Vote): void {
  const isFree = state.config.rules.isVoteFree(state.vote, message.from) && state.leader === 0;
  const isPatient = !message.transfer && hearsFromLeader(state);
  const granted = isFree && !isPatient && state.role.kind === 'follower' && isUpToDate(state, message);
  if (granted) {
    setTerm(state, state.term, message.from);
    resetTimer(state);
  }
  send(state, { to: message.from }, { kind: 'voteReply', granted }, 'hardState');
}

function isUpToDate(state: MemberState, candidate: PreVote | Vote): boolean {
  const candidateLast = { index: candidate.lastIndex, term: candidate.lastTerm };
  return state.config.rules.isUpToDate(candidateLast, state.log.lastPoint());
}
