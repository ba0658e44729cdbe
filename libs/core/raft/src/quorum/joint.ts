/**
 * Decisions of several sets of voters at once (thesis 4.3): each set must decide by a majority of its own, so that neither the
 * old nor the new one can decide alone while some members know of only one of them.
 */
import type { LogIndex, MemberId } from '../types.js';
import { majorityIndex, majorityVote, type QuorumSize, type VoteResult, type Votes } from './majority.js';

/** One set, or the new and the old one of a joint configuration. */
export type VoterSets = readonly (readonly MemberId[])[];

/** Nobody decides where there is no voter. */
export function jointVote(sets: VoterSets, votes: Votes, size: QuorumSize): VoteResult {
  const results = sets.map((voters) => majorityVote(voters, votes, size));
  if (results.includes('lost')) return 'lost';
  return results.length > 0 && results.every((result) => result === 'won') ? 'won' : 'pending';
}

export function jointIndex(
  sets: VoterSets,
  matchOf: (voter: MemberId) => LogIndex,
  size: QuorumSize,
): LogIndex {
  if (sets.length === 0) return 0;
  return Math.min(...sets.map((voters) => majorityIndex(voters, matchOf, size)));
}
