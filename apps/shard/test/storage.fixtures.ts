import type { PartitionRecord } from '@ringleader/paxos';
import { ShardDatabase, type ShardDatabaseOptions } from '../src/storage/shard-database.js';
import type { ShardStorage } from '../src/storage/shard-storage.js';

export interface OpenedStorage {
  readonly storage: ShardStorage;
  readonly records: readonly PartitionRecord[];
  readonly incarnation: number;
}

/** What a shard does at its start, without the coordinator. */
export async function openStorage(
  url: string,
  options: Partial<ShardDatabaseOptions> = {},
): Promise<OpenedStorage> {
  const database = await ShardDatabase.connect({
    url,
    shardId: 'shard-1',
    stallMs: 5_000,
    connectTimeoutMs: 5_000,
    lastIncarnation: null,
    onLost: () => undefined,
    ...options,
  });
  const incarnation = database.identity.incarnation + 1;
  await database.raiseIncarnation(database.identity.incarnation, incarnation);
  await database.claim(1);
  return { ...(await database.openStorage(incarnation)), incarnation };
}
