/**
 * What clients would see of a replica that differs from the others for good. When all is quiet again, every key is read at
 * each replica, by somebody who bounds its age; then each replica leads in turn, and every key is read from it.
 */
import type { PartitionIndex, Prng } from '@ringleader/primitives';
import type { Cluster } from './cluster.js';
import type { ClientRequest } from './gateway.js';
import { lead, Scene } from './script.js';

const PATIENCE_MS = 2_000;
const READERS = 1;
/** By then no row at any replica may be as it was before the last write. */
const AGE_MAX_MS = 500;

export function readEverywhere(cluster: Cluster, prng: Prng): void {
  const scene = new Scene(cluster, prng);
  const { events } = cluster.world;
  run(cluster, AGE_MAX_MS);
  for (const { partition } of cluster.map.entries()) {
    const replicas = cluster.map.replicasOf(partition);
    for (const at of replicas) ask(cluster, partition, { maxStalenessMs: AGE_MAX_MS, at });
    for (const shard of replicas) {
      const deadline = events.now + PATIENCE_MS;
      for (const step of lead(scene, shard, partition)) {
        run(cluster, step);
        if (events.now >= deadline) break;
      }
      scene.pass(null);
      ask(cluster, partition, { maxStalenessMs: 'linearizable' });
    }
  }
}

function run({ world: { events } }: Cluster, durationMs: number): void {
  events.runUntil(events.now + durationMs);
}

type Reading = Pick<Extract<ClientRequest, { kind: 'read' }>, 'maxStalenessMs' | 'at'>;

/** One question for each key that was ever written, and time to answer them. */
function ask(cluster: Cluster, partition: PartitionIndex, reading: Reading): void {
  const { committed } = cluster.ghost.partition(partition);
  const { events } = cluster.world;
  let open = 0;
  for (const key of committed.keys) {
    open += 1;
    cluster.workload.ask({ kind: 'read', partition, key, ...reading }, READERS, () => {
      open -= 1;
    });
  }
  const deadline = events.now + PATIENCE_MS;
  while (open > 0 && events.now < deadline) run(cluster, 5);
}
