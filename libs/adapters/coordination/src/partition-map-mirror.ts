/**
 * The partition map as the coordinator has it (docs/PROTOCOL.md 6), typed, kept up to date. The first map is one
 * transaction and the mirror applies whole revisions, so it is seen complete or not at all.
 *
 * An entry that this version cannot read hides no other one. Its partition stays as it was: to whoever follows the map that is
 * as if the entry had not come yet, which it may be for any time, while others have it. Of one that was never read there is
 * no entry, and the partition counts all the same: by how many there are keys find theirs.
 */
import { PARTITIONS_PREFIX, partitionEntrySchema, partitionKey } from '@ringleader/contracts';
import type { OperationalError, PartitionEntry } from '@ringleader/contracts';
import type { Clock, PartitionIndex } from '@ringleader/primitives';
import type { Coordinator } from './coordination-client.js';
import { readChange } from './metadata.js';
import { type MirrorChange, PrefixMirror } from './prefix-mirror.js';

export interface PartitionMapMirrorOptions {
  readonly client: Coordinator;
  readonly clock: Clock;
  /** The entries that changed; the first call brings the whole map. */
  readonly onChange?: (changed: readonly PartitionEntry[]) => void;
  readonly onTrouble?: (error: OperationalError) => void;
  /** Of an entry that cannot be read, once for each change; absent: as of any other trouble. */
  readonly onUnreadable?: (error: OperationalError) => void;
}

export class PartitionMapMirror {
  readonly #mirror: PrefixMirror;
  readonly #byPartition = new Map<PartitionIndex, PartitionEntry>();
  #partitionCount = 0;
  #entries: readonly PartitionEntry[] | null = null;
  readonly #unreadable = new Set<PartitionIndex>();

  constructor(private readonly options: PartitionMapMirrorOptions) {
    const { client, clock, onTrouble } = options;
    this.#mirror = new PrefixMirror({
      client,
      clock,
      prefix: PARTITIONS_PREFIX,
      onChange: (change) => this.#take(change),
      ...(onTrouble && { onTrouble }),
    });
  }

  /** How many partitions the cluster has; 0 while there is no map yet. */
  get partitionCount(): number {
    return this.#partitionCount;
  }

  /** In the order of their partitions. */
  get entries(): readonly PartitionEntry[] {
    this.#entries ??= [...this.#byPartition.values()].sort((a, b) => a.partition - b.partition);
    return this.#entries;
  }

  /** Partitions whose newest entry cannot be read. */
  get unreadable(): number {
    return this.#unreadable.size;
  }

  entry(partition: PartitionIndex): PartitionEntry | undefined {
    return this.#byPartition.get(partition);
  }

  /** The highest epoch of any partition; 0 while there is no map. */
  get epoch(): number {
    return this.entries.reduce((highest, { epoch }) => Math.max(highest, epoch), 0);
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

  #take(change: MirrorChange): void {
    for (const { key } of change.puts) {
      const partition = Number(key.slice(PARTITIONS_PREFIX.length));
      if (partitionKey(partition) !== key) continue;
      this.#partitionCount = Math.max(this.#partitionCount, partition + 1);
      this.#unreadable.add(partition);
    }
    const { onTrouble, onUnreadable = onTrouble } = this.options;
    const { puts } = readChange(partitionEntrySchema, change, onUnreadable);
    const changed = puts.flatMap(({ key, value }) => (partitionKey(value.partition) === key ? value : []));
    for (const entry of changed) {
      this.#unreadable.delete(entry.partition);
      this.#byPartition.set(entry.partition, entry);
    }
    this.#entries = null;
    if (changed.length > 0) this.options.onChange?.(changed);
  }
}
