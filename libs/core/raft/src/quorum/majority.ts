/**
 * Majorities of one set of voters. A group of n survives the loss of floor((n - 1) / 2), because any two majorities share a
 * member: whatever one of them has decided, the other one hears of. Who is not in the set does not count, whatever it says.
 */
import type { MemberId, LogIndex } from '../types.js';

export type VoteResult = 'won' | 'lost' | 'pending';

/** How many of so many voters are enough. */
export type QuorumSize = (voterCount: number) => number;

export type Votes = ReadonlyMap<MemberId, boolean>;

export function majorityOf(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1;
}

/** Lost as soon as those who can still say yes are too few. */
export function majorityVote(voters: readonly MemberId[], votes: Votes, size: QuorumSize): VoteResult {
  const quorum = size(voters.length);
  let granted = 0;
  let refused = 0;
  for (const voter of voters) {
    const vote = votes.get(voter);
    if (vote === true) granted += 1;
    else if (vote === false) refused += 1;
  }
  if (granted >= quorum) return 'won';
  return refused > voters.length - quorum ? 'lost' : 'pending';
}

/** The highest index that a majority of the voters has reached; 0 where there are none. */
export function majorityIndex(
  voters: readonly MemberId[],
  matchOf: (voter: MemberId) => LogIndex,
  size: QuorumSize,
): LogIndex {
  const descending = voters.map(matchOf).sort((a, b) => b - a);
  return descending[size(voters.length) - 1] ?? 0;
}
