/**
 * Majorities, and nothing else decides what a majority is. A group of n survives the loss of floor((n - 1) / 2), because any
 * two majorities share a member: whatever one of them has decided, the other one hears of.
 */
import type { MemberId, LogIndex } from './types.js';

export type VoteResult = 'won' | 'lost' | 'pending';

export function majorityOf(memberCount: number): number {
  return Math.floor(memberCount / 2) + 1;
}

/** The highest index that at least `quorum` of the members have reached. */
export function quorumIndex(matchIndexes: readonly LogIndex[], quorum: number): LogIndex {
  const descending = [...matchIndexes].sort((a, b) => b - a);
  return descending[quorum - 1] ?? 0;
}

/** Lost as soon as those who can still say yes are too few. */
export function countVotes(
  members: readonly MemberId[],
  votes: ReadonlyMap<MemberId, boolean>,
  quorum: number,
): VoteResult {
  let granted = 0;
  let refused = 0;
  for (const member of members) {
    const vote = votes.get(member);
    if (vote === true) granted += 1;
    else if (vote === false) refused += 1;
  }
  if (granted >= quorum) return 'won';
  return refused > members.length - quorum ? 'lost' : 'pending';
}
