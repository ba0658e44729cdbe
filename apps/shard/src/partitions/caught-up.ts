import type { PartitionStatus } from '@ringleader/paxos';
import type { MonotonicMs, PartitionIndex } from '@ringleader/primitives';

/** So many are named; of more only the number is told. */
const NAMED_MAX = 5;

/**
 * A replica that stood where its partition stands a moment ago is not missed: each step of a move is an election, in which
 * all its replicas are behind for some milliseconds, and while replicas are moved there is hardly a moment without one.
 * A shard that said so would be unready for as long as a cluster grows.
 */
const FORGIVEN_MS = 2_000;

/**
 * Whether the replicas of this shard stand where their partitions stand, so that another shard may be disturbed. Those that
 * count nowhere (learners, removed ones) are not missed by anybody, and a shard without replicas misses nothing. One for
 * each life of the core: it has to be seen anew that its replicas are there.
 */
export class CaughtUp {
  private readonly seenAt = new Map<PartitionIndex, MonotonicMs>();

  /** Why not; empty when they do. */
  reasons(replicas: readonly PartitionStatus[], now: MonotonicMs): string[] {
    const voting = replicas.filter(votes);
    // Of learners too it is remembered that they were there: they vote from the next step on.
    const missed = replicas.filter((replica) => this.isMissed(replica, now));
    const behind = missed.filter(votes);
    if (behind.length === 0) return [];
    const named = behind.slice(0, NAMED_MAX).map(({ partition }) => partition);
    const list = `${named.join(', ')}${behind.length > NAMED_MAX ? ', ...' : ''}`;
    return [`${behind.length} of ${voting.length} replicas are not caught up (partitions ${list})`];
  }

  private isMissed(replica: PartitionStatus, now: MonotonicMs): boolean {
    const { partition } = replica;
    if (!isBehind(replica)) {
      this.seenAt.set(partition, now);
      return false;
    }
    return now - (this.seenAt.get(partition) ?? Number.NEGATIVE_INFINITY) >= FORGIVEN_MS;
  }
}

function votes({ role }: PartitionStatus): boolean {
  return role !== 'learner' && role !== 'removed';
}

function isBehind({ role, serving, leader, copying, promised, position, commit }: PartitionStatus): boolean {
  switch (role) {
    case 'leader':
      return !serving;
    case 'candidate':
      return true;
    default:
      // Without the barrier of the ballot that it promised, it lacks what that leader took over.
      return leader === 0 || copying || position.ballot < promised || position.revision < commit;
  }
}
