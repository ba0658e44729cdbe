import { Replica } from '../src/partition/replica.js';
import type { PartitionRecord } from '../src/records.js';
import { RULES } from '../src/rules/rules.js';
import { MemoryShare } from '../src/partition/memory-share.js';
import { KeyedRequests } from '../src/partition/keyed-requests.js';

const WINDOW_MS = 2_000;

/** A replica of shard 1 with this record. */
export function replicaOf(record: PartitionRecord): Replica {
  const share = new MemoryShare(1 << 20, () => 1);
  const keyed = new KeyedRequests(RULES, WINDOW_MS, share);
  const shares = { recentShare: share, tombstoneShare: share, keysShare: share };
  return new Replica(record, 1, { keyed, ...shares, isOfThisLife: () => false, purging: new Set() });
}
