/**
 * Scripts steer a run. A script is a generator that does something and yields how long to wait in simulated
 * milliseconds; it ends with the faulty part of the run, when everything is healed.
 */
import type { Prng, Revision, ShardOrdinal } from '@ringleader/primitives';
import { ownerOf } from '@ringleader/paxos';
import type { NodeId } from '@ringleader/testing-simulation';
import type { Cluster } from './cluster.js';
import type { SimMessage } from './sim-messages.js';

export type Script = (scene: Scene) => Generator<number, void>;

/** The first gateway's clients write, the second one's read, in profiles that keep them apart. */
export const WRITERS: NodeId = 1_001;
export const READERS: NodeId = 1_002;

export class Scene {
  readonly cluster: Cluster;
  readonly prng: Prng;

  constructor(cluster: Cluster, prng: Prng) {
    this.cluster = cluster;
    this.prng = prng;
  }

  get leaseMs(): number {
    return this.cluster.settings.cluster.timings.leaseMs;
  }

  between(min: number, max: number): number {
    return min + this.prng.nextFloat() * (max - min);
  }

  *leader(partition = 0): Generator<number, ShardOrdinal> {
    for (;;) {
      const leader = this.cluster.leaderOf(partition);
      if (leader !== null) return leader;
      yield 5;
    }
  }

  /** The other replicas, in random order. */
  others(shard: ShardOrdinal, partition = 0): ShardOrdinal[] {
    const others = this.cluster.map.replicasOf(partition).filter((other) => other !== shard);
    for (let index = others.length - 1; index > 0; index -= 1) {
      const swap = this.prng.nextBelow(index + 1);
      [others[index], others[swap]] = [others[swap] as ShardOrdinal, others[index] as ShardOrdinal];
    }
    return others;
  }

  /** Nothing passes between the two groups until the returned function is called. */
  separate(side: readonly NodeId[], others: readonly NodeId[]): () => void {
    const { network } = this.cluster.world;
    const links = side.flatMap((a) =>
      others.flatMap((b): [NodeId, NodeId][] => [
        [a, b],
        [b, a],
      ]),
    );
    for (const [from, to] of links) network.cut(from, to);
    return () => {
      for (const [from, to] of links) network.heal(from, to);
    };
  }

  pass(filter: ((from: NodeId, to: NodeId, message: SimMessage) => boolean) | null): void {
    this.cluster.world.network.setFilter(filter);
  }

  /** How far the shard has purged, durably. */
  purgedTo(shard: ShardOrdinal, partition = 0): Revision {
    return this.cluster.database(shard).records.get(partition)?.purgedTo ?? 0;
  }

  restart(shard: ShardOrdinal): void {
    const node = this.cluster.world.node(shard);
    node.crash();
    node.start();
  }
}

/** A leader says how far it has purged; others say to whom they listen. */
export function isPurgeWord(from: NodeId, message: SimMessage): boolean {
  return (
    message.kind === 'peer' && message.message.kind === 'promised' && ownerOf(message.message.ballot) === from
  );
}

/** Nobody else may stand until that shard leads; whoever leads meanwhile is restarted. */
export function* lead(scene: Scene, shard: ShardOrdinal, partition = 0): Generator<number, void> {
  const { cluster } = scene;
  scene.pass((from, _to, message) => {
    return message.kind !== 'peer' || message.message.kind !== 'prepare' || from === shard;
  });
  for (const other of cluster.map.replicasOf(partition)) {
    if (other !== shard && cluster.status(other, partition)?.role === 'leader') scene.restart(other);
  }
  while (cluster.leaderOf(partition) !== shard) yield 2;
  scene.pass(null);
}

export function runScript(script: Script, cluster: Cluster, prng: Prng): void {
  const { events } = cluster.world;
  const steps = script(new Scene(cluster, prng));
  const next = (): void => {
    if (events.now >= cluster.settings.faultyMs) return;
    const step = steps.next();
    if (step.done !== true) events.after(step.value, next);
  };
  next();
}
