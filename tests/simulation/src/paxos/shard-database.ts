/**
 * The twin of a shard's PostgreSQL: what a StorageTransaction changes and what a StorageRead answers, exactly as
 * declared in the core's storage interface.
 */
import type {
  DeltaRead,
  PageRead,
  PartitionRecord,
  Row,
  RowAddress,
  ScanRead,
  StorageRead,
  StorageReadResult,
  StorageTransaction,
} from '@ringleader/paxos';
import { compareKeys, type PartitionIndex } from '@ringleader/primitives';

import { fingerprintOf } from './fingerprint.js';

export interface Generation {
  readonly rows: Map<string, Row>;
  /** Sum of the fingerprints of its rows: equal for equal sets of rows. */
  fingerprint: number;
}

export class ShardDatabase {
  incarnation = 0;
  readonly records = new Map<PartitionIndex, PartitionRecord>();
  readonly #generations = new Map<string, Generation>();

  generation(partition: PartitionIndex, generation: number): Generation {
    const key = generationKey(partition, generation);
    let found = this.#generations.get(key);
    if (found === undefined) {
      found = { rows: new Map(), fingerprint: 0 };
      this.#generations.set(key, found);
    }
    return found;
  }

  liveRows(partition: PartitionIndex): Generation {
    return this.generation(partition, this.records.get(partition)?.generation ?? 0);
  }

  apply(transaction: StorageTransaction): void {
    for (const record of transaction.records) this.records.set(record.partition, record);
    for (const { partition, generation, row } of transaction.upserts) {
      const target = this.generation(partition, generation);
      const before = target.rows.get(row.key);
      if (before !== undefined) target.fingerprint -= fingerprintOf(before);
      target.fingerprint += fingerprintOf(row);
      target.rows.set(row.key, row);
    }
    for (const { partition, generation, key } of transaction.removals) {
      const target = this.generation(partition, generation);
      const before = target.rows.get(key);
      if (before !== undefined) target.fingerprint -= fingerprintOf(before);
      target.rows.delete(key);
    }
  }

  removeGeneration(partition: PartitionIndex, generation: number): void {
    this.#generations.delete(generationKey(partition, generation));
  }

  /** What a shell does at its start: copies that no record goes on with. */
  removeUnnamedGenerations(): void {
    const named = new Set<string>();
    for (const { partition, generation, staging } of this.records.values()) {
      named.add(generationKey(partition, generation));
      if (staging !== null) named.add(generationKey(partition, staging.generation));
    }
    for (const key of this.#generations.keys()) if (!named.has(key)) this.#generations.delete(key);
  }

  read(read: StorageRead): StorageReadResult {
    switch (read.kind) {
      case 'rows':
        return { kind: 'rows', id: read.id, rows: read.keys.map((address) => this.#row(address)) };
      case 'scan':
        return this.#scan(read);
      case 'delta':
        return this.#delta(read);
      case 'page':
        return this.#page(read);
    }
  }

  #row({ partition, generation, key }: RowAddress): Row | null {
    return this.generation(partition, generation).rows.get(key) ?? null;
  }

  #scan(read: ScanRead): StorageReadResult {
    const { start, end } = read.range;
    const found = read.partitions
      .flatMap(({ partition, generation }) =>
        [...this.generation(partition, generation).rows.values()].map((row) => ({ partition, row })),
      )
      .filter(({ row }) => row.value !== null)
      .filter(
        ({ row }) => compareKeys(row.key, start) >= 0 && (end === null || compareKeys(row.key, end) < 0),
      )
      .sort((a, b) => compareKeys(a.row.key, b.row.key));
    if (read.reverse) found.reverse();
    const count = prefixWithin(
      found.map(({ row }) => row),
      read.limitRows,
      read.limitBytes,
    );
    return { kind: 'scan', id: read.id, rows: found.slice(0, count), more: count < found.length };
  }

  #delta(read: DeltaRead): StorageReadResult {
    const { rows } = this.generation(read.partition, read.generation);
    const past = [...rows.values()]
      .filter((row) => row.revision > read.base)
      .sort((a, b) => a.revision - b.revision);
    const tooLarge = prefixWithin(past, read.limitRows, read.limitBytes) < past.length;
    return {
      kind: 'delta',
      id: read.id,
      rows: tooLarge ? [] : past,
      named: read.keys.map((key) => rows.get(key) ?? null),
      tooLarge,
    };
  }

  #page(read: PageRead): StorageReadResult {
    const found = [...this.generation(read.partition, read.generation).rows.values()]
      .filter((row) => row.revision > read.base && compareKeys(row.key, read.start) >= 0)
      .sort((a, b) => compareKeys(a.key, b.key));
    const count = prefixWithin(found, read.limitRows, read.limitBytes);
    const rows = found.slice(0, count);
    return {
      kind: 'page',
      id: read.id,
      rows: read.keysOnly ? rows.map((row) => ({ ...row, value: null })) : rows,
      nextKey: found[count]?.key ?? null,
    };
  }
}

/** How many rows fit; one always does, so that nothing can get stuck. */
function prefixWithin(rows: readonly Row[], limitRows: number, limitBytes: number): number {
  let bytes = 0;
  let count = 0;
  for (const row of rows) {
    bytes += row.key.length + (row.value?.length ?? 0);
    if (count > 0 && (count >= limitRows || bytes > limitBytes)) break;
    count += 1;
  }
  return count;
}

function generationKey(partition: PartitionIndex, generation: number): string {
  return `${String(partition)}/${String(generation)}`;
}
