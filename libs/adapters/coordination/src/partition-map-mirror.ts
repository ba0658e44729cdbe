/**
 * The partition map as the coordinator has it (docs/PROTOCOL.md 6), typed, kept up to date. The first map is one
 * transaction and the mirror applies whole revisions, so it is seen complete or not at all.
 */
import { PARTITIONS_PREFIX, partitionEntrySchema } from '@ringleader/contracts';
import type { KeyValue, OperationalError, PartitionEntry } from '@ringleader/contracts';
import type { Clock, PartitionIndex } from '@ringleader/primitives';
import type { Coordinator } from './coordination-client.js';
import { parseMetadata } from './metadata.js';
import { PrefixMirror } from './prefix-mirror.js';

export interface PartitionMapMirrorOptions {
  readonly client: Coordinator;
  readonly clock: Clock;
  /** The entries that changed; the first call brings the whole map. */
  readonly onChange?: (changed: readonly PartitionEntry[]) => void;
  readonly onTrouble?: (error: OperationalError) => void;
}

export class PartitionMapMirror {
  readonly #mirror: PrefixMirror;
  readonly #entries: PartitionEntry[] = [];

  constructor(private readonly options: PartitionMapMirrorOptions) {
    const { client, clock, onTrouble } = options;
    this.#mirror = new PrefixMirror({
      client,
      clock,
      prefix: PARTITIONS_PREFIX,
      onChange: (change) => this.#take(change.puts),
      ...(onTrouble && { onTrouble }),
    });
  }

  /** How many partitions the cluster has; 0 while there is no map yet. */
  get partitionCount(): number {
    return this.#entries.length;
  }

  /** By partition index. */
  get entries(): readonly PartitionEntry[] {
    return this.#entries;
  }

  entry(partition: PartitionIndex): PartitionEntry | undefined {
    return this.#entries[partition];
  }

  /** The highest epoch of any partition; 0 while there is no map. */
  get epoch(): number {
    return this.#entries.reduce((highest, { epoch }) => Math.max(highest, epoch), 0);
  }

  stalenessMs(): number | null {
    return this.#mirror.stalenessMs();
  }

  /** Settles once the coordinator was heard, also if there is no map yet. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  stop(): void {
    this.#mirror.stop();
  }

  #take(puts: readonly KeyValue[]): void {
    const changed = puts.map((item) => parseMetadata(partitionEntrySchema, item));
    // Keys come in order, so the first map fills the array from 0 up, without holes.
    for (const entry of changed) this.#entries[entry.partition] = entry;
    if (changed.length > 0) this.options.onChange?.(changed);
  }
}
