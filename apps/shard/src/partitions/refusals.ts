/** Why a shard does not serve from its database, in words of operators. */
import { OperationalError } from '@ringleader/contracts';
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';

export function foreignDatabase(shardId: string, detail: string): OperationalError {
  return new OperationalError(
    'DATABASE_FORGOT',
    `The database given to ${shardId} is not its own: ${detail}`,
    {
      verdict: 'foreignDatabase',
    },
  );
}

export function removed(shardId: string, ordinal: ShardOrdinal): OperationalError {
  const detail =
    `${shardId} was removed from its cluster. Leave it stopped; to join again it needs an empty database, and ` +
    'registers as a new shard';
  return new OperationalError('SHARD_REMOVED', detail, { shard: shardId, ordinal });
}

export function notListed(shardId: string): OperationalError {
  return new OperationalError('UNAVAILABLE', `${shardId} is not in the service registry yet`);
}

export function ordinalsExhausted(): OperationalError {
  const detail = 'All 65,535 ordinals of this cluster are given';
  return new OperationalError('STORAGE_FAILED', detail, { reason: 'ordinals' });
}

export function runsElsewhere(shardId: string, detail: string): OperationalError {
  return new OperationalError(
    'DATABASE_FORGOT',
    `The database of ${shardId} is not the one it was (${detail}), and another process runs on that: stop one of them`,
    { verdict: 'superseded' },
  );
}

export function damagedBeforeOpening(shardId: string, cause: OperationalError): OperationalError {
  return new OperationalError(
    'DATABASE_DAMAGED',
    `The database of ${shardId} is damaged where it says whose it is: ${cause.message}. Keep it, and give the shard an empty one`,
    cause.details,
    { cause },
  );
}

const NAMED_MAX = 5;

export function neededForMajority(
  code: 'DATABASE_FORGOT' | 'DATABASE_DAMAGED',
  shardId: string,
  { detail, partitions }: { readonly detail: string; readonly partitions: readonly PartitionIndex[] },
): OperationalError {
  const named = partitions.slice(0, NAMED_MAX).join(', ') + (partitions.length > NAMED_MAX ? ', ...' : '');
  return new OperationalError(
    code,
    `The database of ${shardId} cannot be served from (${detail}), and without it ${partitions.length} partitions ` +
      `(${named}) have no majority: it stays down, and nothing was deleted. Bring the other shards back, or the right ` +
      'database, and start it again (docs/OPERATIONS.md, "A database that forgot something"). Where those are lost for good, ' +
      'only a person can let the partitions go on with what is left (the same, "A majority that is lost for good")',
    { partitions: partitions.slice(0, NAMED_MAX), partitionsTotal: partitions.length },
  );
}
