/** The candidate's side of an election: asking, and counting. */
import { configurationOfLog, type MemberState, resultOf, send } from '../member-state.js';
import { idsOf } from '../membership/configuration.js';
import type { PreVoteReply, VoteReply } from '../messages.js';
import type { MemberId } from '../types.js';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './roles.js';

export function seekPreVotes(state: MemberState): void {
  becomePreCandidate(state);
  const last = state.log.lastPoint();
  for (const to of otherVoters(state)) {
    const body = { kind: 'preVote', lastIndex: last.index, lastTerm: last.term } as const;
    send(state, { to, term: state.term + 1 }, body, 'hardState');
  }
  decide(state);
}

/** `transfer`: on behalf of the leader, which wants to be replaced (3.10). */
export function seekVotes(state: MemberState, transfer: boolean): void {
  becomeCandidate(state);
  const last = state.log.lastPoint();
  send(state, { to: state.config.id }, { kind: 'voteReply', granted: true }, 'hardState');
  for (const to of otherVoters(state)) {
    const body = { kind: 'vote', lastIndex: last.index, lastTerm: last.term, transfer } as const;
    send(state, { to }, body, 'hardState');
  }
}

export function handleVoteReply(state: MemberState, message: PreVoteReply | VoteReply): void {
  const { role } = state;
  if (role.kind !== 'preCandidate' && role.kind !== 'candidate') return;
  if ((message.kind === 'preVoteReply') !== (role.kind === 'preCandidate')) return;
  // A granted pre-vote names the term it is for: one for another candidacy says nothing about this one.
  if (message.kind === 'preVoteReply' && message.granted && message.term !== state.term + 1) return;
  if (!role.votes.has(message.from)) role.votes.set(message.from, message.granted);
  decide(state);
}

/** Of both sets while the configuration is joint; learners are not asked. */
function otherVoters(state: MemberState): MemberId[] {
  const { voters, outgoing } = configurationOfLog(state);
  const ids = new Set(idsOf([...voters, ...outgoing]));
  ids.delete(state.config.id);
  return [...ids];
}

function decide(state: MemberState): void {
  const { role } = state;
  if (role.kind !== 'preCandidate' && role.kind !== 'candidate') return;
  const result = resultOf(state, role.votes);
  if (result === 'lost') becomeFollower(state, state.term, 0);
  if (result !== 'won') return;
  if (role.kind === 'preCandidate') seekVotes(state, false);
  else becomeLeader(state);
}
