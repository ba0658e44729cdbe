import type { PartitionRecord, Row, StorageReadResult, StorageTransaction } from '@ringleader/paxos';
import { ShardDatabase, type ShardDatabaseOptions } from '../src/storage/shard-database.js';
import type { ShardStorage } from '../src/storage/shard-storage.js';

export function recordOf(partition: number, changes: Partial<PartitionRecord> = {}): PartitionRecord {
  return {
    partition,
    epoch: 1,
    promised: 65_537,
    position: { ballot: 65_537, revision: 1 },
    commitBound: 0,
    purgedTo: 0,
    dedupeFloor: 0,
    generation: 1,
    staging: null,
    ...changes,
  };
}

export function rowOf(key: string, changes: Partial<Row> = {}): Row {
  return {
    key,
    value: Buffer.from(`value of ${key}`),
    contentType: 'text/plain',
    revision: 1,
    version: 1,
    createdAt: 1_790_000_000_000 * 1024,
    modifiedAt: 1_790_000_000_000 * 1024 + 5,
    expiresAt: null,
    requests: [],
    requestFloor: 0,
    ...changes,
  };
}

let lastTransactionId = 0;

export function transactionOf(parts: Partial<StorageTransaction>): StorageTransaction {
  return { id: ++lastTransactionId, records: [], upserts: [], removals: [], ...parts };
}

export function upsertsOf(partition: number, rows: readonly Row[], generation = 1) {
  return rows.map((row) => ({ partition, generation, row }));
}

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

export async function readRows(
  storage: ShardStorage,
  partition: number,
  keys: readonly string[],
  generation = 1,
): Promise<readonly (Row | null)[]> {
  const addresses = keys.map((key) => ({ partition, generation, key }));
  const result = await storage.read({ kind: 'rows', id: 1, keys: addresses });
  return (result as Extract<StorageReadResult, { kind: 'rows' }>).rows;
}
