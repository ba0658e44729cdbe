/**
 * Quorums of an epoch: a majority of the replicas; in a joint epoch a majority of the old set and one of the new set
 * (docs/PROTOCOL.md 4.0, 6.2). Learners are never counted.
 */
import type { Revision, ShardOrdinal } from '@ringleader/primitives';
import type { PartitionAssignment } from '../ready.js';

export type Has = (ordinal: ShardOrdinal) => boolean;

function hasMajority(set: readonly ShardOrdinal[], has: Has): boolean {
  let count = 0;
  for (const ordinal of set) if (has(ordinal)) count += 1;
  return count * 2 > set.length;
}

export function hasQuorum(assignment: PartitionAssignment, has: Has): boolean {
  const { replicas, nextReplicas } = assignment;
  return hasMajority(replicas, has) && (nextReplicas === null || hasMajority(nextReplicas, has));
}

/**
 * 6.8: of those with whom a partition went on everybody has to answer, as long as they are its set: each may have of what was
 * committed what no other has.
 */
export function hasElectionQuorum(assignment: PartitionAssignment, has: Has): boolean {
  const { replicas, recovery } = assignment;
  if (recovery === undefined || !isSameSet(replicas, recovery.kept)) return hasQuorum(assignment, has);
  return replicas.every(has) && hasQuorum(assignment, has);
}

function isSameSet(a: readonly ShardOrdinal[], b: readonly ShardOrdinal[]): boolean {
  return a.length === b.length && a.every((ordinal) => b.includes(ordinal));
}

/** In descending order, the places of one set: used again and again, since this is worked out for every acknowledgement. */
const sorted: Revision[] = [];

/** The greatest revision which a majority of the set has acknowledged; below 0 when no majority has acknowledged any. */
function majorityRevision(
  set: readonly ShardOrdinal[],
  acknowledged: (ordinal: ShardOrdinal) => Revision,
): Revision {
  let count = 0;
  for (const ordinal of set) {
    const revision = acknowledged(ordinal);
    let at = count;
    count += 1;
    for (; at > 0 && sorted[at - 1]! < revision; at -= 1) sorted[at] = sorted[at - 1]!;
    sorted[at] = revision;
  }
  return count === 0 ? -1 : sorted[count >> 1]!;
}

/** `acknowledged` is -1 for a replica that is not at the leader's ballot. */
export function quorumRevision(
  assignment: PartitionAssignment,
  acknowledged: (ordinal: ShardOrdinal) => Revision,
): Revision {
  const old = majorityRevision(assignment.replicas, acknowledged);
  if (assignment.nextReplicas === null) return old;
  return Math.min(old, majorityRevision(assignment.nextReplicas, acknowledged));
}

export function isVoter(assignment: PartitionAssignment, ordinal: ShardOrdinal): boolean {
  return assignment.replicas.includes(ordinal) || (assignment.nextReplicas?.includes(ordinal) ?? false);
}

/** Voters and learners: whoever is sent batches and is brought up to date. */
export function isMember(assignment: PartitionAssignment, ordinal: ShardOrdinal): boolean {
  return isVoter(assignment, ordinal) || assignment.learners.includes(ordinal);
}

/** All voters, each once, in the order of the map. */
export function votersOf(assignment: PartitionAssignment): ShardOrdinal[] {
  return [...new Set([...assignment.replicas, ...(assignment.nextReplicas ?? [])])];
}

export function membersOf(assignment: PartitionAssignment): ShardOrdinal[] {
  return [...new Set([...votersOf(assignment), ...assignment.learners])];
}
