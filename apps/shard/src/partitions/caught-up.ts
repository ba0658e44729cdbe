import type { PartitionStatus } from '@ringleader/paxos';

/** So many are named; of more only the number is told. */
const NAMED_MAX = 5;

/**
 * Whether the replicas of this shard stand where their partitions stand, so that another shard may be disturbed: empty
 * when they do. Those that count nowhere (learners, removed ones) are not missed by anybody, and a shard without replicas
 * misses nothing.
 */
export function behindReasons(replicas: readonly PartitionStatus[]): string[] {
  const voting = replicas.filter(({ role }) => role !== 'learner' && role !== 'removed');
  const behind = voting.filter(isBehind);
  if (behind.length === 0) return [];
  const named = behind.slice(0, NAMED_MAX).map(({ partition }) => partition);
  const list = `${named.join(', ')}${behind.length > NAMED_MAX ? ', ...' : ''}`;
  return [`${behind.length} of ${voting.length} replicas are not caught up (partitions ${list})`];
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
