/** The in-memory twin of a shard's PostgreSQL, with what the checks want to know of it: which rows they are, as a number. */
import type { PartitionIndex } from '@ringleader/primitives';
import type { GenerationRemoval, Row, RowAddress } from '@ringleader/paxos';
import { MemoryStorage } from '@ringleader/paxos/testing';
import { fingerprintOf } from './fingerprint.js';

export interface ReplicaRows {
  readonly rows: ReadonlyMap<string, Row>;
  /** Sum of the fingerprints of the rows: equal for equal sets of rows. */
  readonly fingerprint: number;
}

export class ShardDatabase extends MemoryStorage {
  incarnation = 0;
  readonly #fingerprints = new Map<string, number>();

  live(partition: PartitionIndex): ReplicaRows {
    const generation = this.records.get(partition)?.generation ?? 0;
    const fingerprint = this.#fingerprints.get(nameOf({ partition, generation })) ?? 0;
    return { rows: this.liveRows(partition), fingerprint };
  }

  override removeGeneration(removal: GenerationRemoval): void {
    super.removeGeneration(removal);
    this.#fingerprints.delete(nameOf(removal));
  }

  protected override changed(address: RowAddress, before: Row | null, after: Row | null): void {
    const change =
      (after === null ? 0 : fingerprintOf(after)) - (before === null ? 0 : fingerprintOf(before));
    const name = nameOf(address);
    this.#fingerprints.set(name, (this.#fingerprints.get(name) ?? 0) + change);
  }
}

function nameOf({ partition, generation }: GenerationRemoval): string {
  return `${String(partition)}/${String(generation)}`;
}
