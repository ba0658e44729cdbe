/**
 * After the last fault: within bounded simulated time every partition has one leader, all its replicas have the same
 * rows, which are the committed ones, and a write goes through.
 */
import { SimulationFailure } from '@ringleader/testing-simulation';
import type { PartitionIndex } from '@ringleader/primitives';
import type { Cluster } from './cluster.js';
import { fingerprintOf } from './fingerprint.js';

const POLL_MS = 20;

export function healEverything(cluster: Cluster): void {
  const { world } = cluster;
  world.network.healAll();
  for (const shard of cluster.shards) {
    const node = world.node(shard);
    while (node.isPaused) node.resume();
    node.start();
  }
}

export function checkRecovery(cluster: Cluster): void {
  const { events } = cluster.world;
  const deadline = events.now + cluster.settings.recoveryMs;
  const partitions = cluster.map.entries().map((entry) => entry.partition);
  const unproven = new Set(partitions);
  for (const partition of partitions) askOnce(cluster, partition, unproven);
  let waitingFor = 'a write in every partition';
  for (;;) {
    events.runUntil(events.now + POLL_MS);
    const problem = unproven.size > 0 ? 'a write in every partition' : firstDifference(cluster, partitions);
    if (problem === null) return;
    waitingFor = problem;
    if (events.now >= deadline) {
      throw new SimulationFailure(
        'liveness',
        `${String(cluster.settings.recoveryMs)} ms after the last fault still waiting for ${waitingFor}`,
      );
    }
  }
}

/** One write after another until one is answered. */
function askOnce(cluster: Cluster, partition: PartitionIndex, unproven: Set<PartitionIndex>): void {
  cluster.workload.ask(cluster.workload.put(partition, `probe/${String(partition)}`), 0, (outcome) => {
    if (outcome.kind === 'written') unproven.delete(partition);
    else askOnce(cluster, partition, unproven);
  });
}

function firstDifference(cluster: Cluster, partitions: readonly PartitionIndex[]): string | null {
  for (const partition of partitions) {
    const difference = differenceIn(cluster, partition);
    if (difference !== null) return `partition ${String(partition)}: ${difference}`;
  }
  return null;
}

function differenceIn(cluster: Cluster, partition: PartitionIndex): string | null {
  const leader = cluster.leaderOf(partition);
  if (leader === null) return 'one serving leader';
  const entry = cluster.map.entry(partition);
  if (cluster.status(leader, partition)?.epoch !== entry.epoch) return 'a leader of the present epoch';
  const { committed } = cluster.ghost.partition(partition);
  for (const shard of new Set([...entry.replicas, ...(entry.nextReplicas ?? []), ...entry.learners])) {
    const status = cluster.status(shard, partition);
    if (status === undefined || status.commit < committed.top) {
      return `shard ${String(shard)} to know revision ${String(committed.top)} as committed, it knows ${String(status?.commit)}`;
    }
    const { rows } = cluster.database(shard).liveRows(partition);
    for (const key of committed.keys) {
      const last = committed.last(key, committed.top)?.row ?? null;
      const row = rows.get(key) ?? null;
      if (last !== null && (row === null || fingerprintOf(row) !== fingerprintOf(last))) {
        return `shard ${String(shard)} to have the committed row of ${key}`;
      }
    }
  }
  return null;
}
