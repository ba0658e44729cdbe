/**
 * After the last fault: within bounded simulated time every partition has one leader, all its replicas have the same
 * rows, which are the committed ones and no tombstones of before, and a write goes through.
 */
import type { Row } from '@ringleader/paxos';
import {
  HYBRID_UNITS_PER_MS,
  type PartitionIndex,
  type Revision,
  type ShardOrdinal,
} from '@ringleader/primitives';
import { fail } from './checks.js';
import type { Cluster } from './cluster.js';
import { fingerprintOf } from './fingerprint.js';

const POLL_MS = 20;

export function healEverything(cluster: Cluster): void {
  const { world } = cluster;
  world.network.healAll();
  for (const shard of cluster.shards) {
    const node = world.node(shard);
    while (node.clock.isSuspended) node.clock.resume();
    while (node.isPaused) node.resume();
    node.start();
  }
}

export function checkRecovery(cluster: Cluster): void {
  const { events } = cluster.world;
  const { recoveryMs } = cluster.settings;
  const deadline = events.now + recoveryMs;
  const partitions = cluster.map.entries().map((entry) => entry.partition);
  const unproven = new Set(partitions);
  const before = new Map(
    partitions.map((partition) => [partition, cluster.ghost.partition(partition).committed.top]),
  );
  for (const partition of partitions) askOnce(cluster, partition, unproven);
  for (;;) {
    events.runUntil(events.now + POLL_MS);
    const missing = unproven.size > 0 ? 'a write in every partition' : firstMissing(cluster, before);
    if (missing === null) return;
    if (events.now < deadline) continue;
    fail('liveness', `${String(recoveryMs)} ms after the last fault still waiting for ${missing}`);
  }
}

/** One write after another until one is answered. */
function askOnce(cluster: Cluster, partition: PartitionIndex, unproven: Set<PartitionIndex>): void {
  cluster.workload.ask(cluster.workload.put(partition, `probe/${String(partition)}`), 0, (outcome) => {
    if (outcome.kind === 'written') unproven.delete(partition);
    else askOnce(cluster, partition, unproven);
  });
}

/** With what was committed of each partition when everything was healed. */
function firstMissing(cluster: Cluster, before: ReadonlyMap<PartitionIndex, Revision>): string | null {
  for (const [partition, committed] of before) {
    const missing = missingIn(cluster, partition, committed);
    if (missing !== null) return `partition ${String(partition)}: ${missing}`;
  }
  return null;
}

function missingIn(cluster: Cluster, partition: PartitionIndex, before: Revision): string | null {
  const leader = cluster.leaderOf(partition);
  if (leader === null) return 'one serving leader';
  const { epoch, replicas, nextReplicas, learners } = cluster.map.entry(partition);
  if (cluster.status(leader, partition)?.epoch !== epoch) return 'a leader of the present epoch';
  for (const shard of new Set([...replicas, ...(nextReplicas ?? []), ...learners])) {
    const missing = missingAt(cluster, partition, shard) ?? unpurgedAt(cluster, partition, shard, before);
    if (missing !== null) return `shard ${String(shard)} ${missing}`;
  }
  return null;
}

function missingAt(cluster: Cluster, partition: PartitionIndex, shard: ShardOrdinal): string | null {
  const { committed } = cluster.ghost.partition(partition);
  const { commit = 0, copying = false } = cluster.status(shard, partition) ?? {};
  if (copying) return 'to end its copy';
  if (commit < committed.top) {
    return `to know revision ${String(committed.top)} as committed, it knows ${String(commit)}`;
  }
  const database = cluster.database(shard);
  const rows = database.liveRows(partition);
  const purgedTo = database.records.get(partition)?.purgedTo ?? 0;
  const missing = [...committed.keys].find((key) => {
    const last = committed.last(key, committed.top)?.row ?? null;
    return last !== null && !isRow(rows.get(key) ?? null, last, purgedTo);
  });
  return missing === undefined ? null : `to have the committed row of ${missing}`;
}

function unpurgedAt(
  cluster: Cluster,
  partition: PartitionIndex,
  shard: ShardOrdinal,
  before: Revision,
): string | null {
  const { purgeRestMs } = cluster.settings.cluster.timings;
  const slowest = Math.min(...cluster.shards.map((other) => cluster.world.node(other).clock.wallMs()));
  const rested = (slowest - purgeRestMs) * HYBRID_UNITS_PER_MS;
  for (const row of cluster.database(shard).liveRows(partition).values()) {
    if (row.value !== null || row.revision > before) continue;
    // Where a gateway's clock is ahead a tombstone stays until the leader's is there.
    const newest = Math.max(row.requestFloor, ...[...row.requests].map(({ origin }) => origin));
    if (newest < rested) return `to purge ${row.key} at ${String(row.revision)}`;
  }
  return null;
}

/** Or was it a tombstone, and purged? */
function isRow(row: Row | null, committed: Row, purgedTo: Revision): boolean {
  if (row === null) return committed.value === null && committed.revision <= purgedTo;
  return fingerprintOf(row) === fingerprintOf(committed);
}
