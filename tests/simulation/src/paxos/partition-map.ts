/** The coordinator as shards know it: one map entry per partition, each change a new epoch that shards learn in time. */
import type { PartitionAssignment } from '@ringleader/paxos';
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { RoutingMap } from './gateway.js';

export class PartitionMap implements RoutingMap {
  readonly #entries = new Map<PartitionIndex, PartitionAssignment>();
  readonly #onChange: (assignment: PartitionAssignment) => void;

  constructor(onChange: (assignment: PartitionAssignment) => void) {
    this.#onChange = onChange;
  }

  entries(): readonly PartitionAssignment[] {
    return [...this.#entries.values()];
  }

  entry(partition: PartitionIndex): PartitionAssignment {
    const entry = this.#entries.get(partition);
    if (entry === undefined) throw new RangeError(`no partition ${String(partition)}`);
    return entry;
  }

  replicasOf(partition: PartitionIndex): readonly ShardOrdinal[] {
    return this.entry(partition).replicas;
  }

  epochOf(partition: PartitionIndex): number {
    return this.entry(partition).epoch;
  }

  create(partitions: number, shards: readonly ShardOrdinal[], replicationFactor: number): void {
    for (let partition = 0; partition < partitions; partition += 1) {
      const replicas = Array.from(
        { length: replicationFactor },
        (_, index) => shards[(partition + index) % shards.length] as ShardOrdinal,
      );
      this.put({
        partition,
        epoch: 1,
        replicas,
        nextReplicas: null,
        learners: [],
        preferredLeader: replicas[0] as ShardOrdinal,
      });
    }
  }

  change(partition: PartitionIndex, change: Partial<Omit<PartitionAssignment, 'partition' | 'epoch'>>): void {
    const present = this.entry(partition);
    this.put({ ...present, ...change, epoch: present.epoch + 1 });
  }

  put(assignment: PartitionAssignment): void {
    this.#entries.set(assignment.partition, assignment);
    this.#onChange(assignment);
  }
}
