/**
 * Who is listed as a member. A configuration is in force when it is appended, but until it is committed another leader may go by the
 * one before: whoever is in either of them may be needed, and nobody may throw away its disk because it is missing here.
 */
import { allMembers, type Configuration, isJoint, learnerOf, type Seated } from '@ringleader/raft';
import type { RaftGroup } from '../raft/raft-node.js';

export interface ListedMember extends Seated {
  readonly isLearner: boolean;
  /** Of a learner: whose place it is to take. 0: nobody's. */
  readonly replaces: number;
}

type Configurations = Pick<RaftGroup, 'configuration' | 'committed'>;

export function listed({ configuration, committed }: Configurations): ListedMember[] {
  const newest = membersOf(configuration);
  const ids = new Set(newest.map(({ id }) => id));
  const leaving = membersOf(committed).filter(({ id }) => !ids.has(id));
  return [...newest, ...leaving].sort((a, b) => a.seat - b.seat);
}

/** Whether a change is under way: joint, or not known to be committed, by a new leader of what others proposed, too. */
export function isChanging({ configuration, committed }: Configurations): boolean {
  return isJoint(configuration) || configuration !== committed;
}

function membersOf(configuration: Configuration): ListedMember[] {
  return allMembers(configuration).map(({ id, seat }) => {
    const learner = learnerOf(configuration, id);
    return { id, seat, isLearner: learner !== null, replaces: learner?.replaces ?? 0 };
  });
}
