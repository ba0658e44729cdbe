/** The obvious storage for tests: applies whole transactions, answers reads from what was applied. */
import { compareKeys } from '../src/partition/keys.js';
import type { PartitionRecord, Row } from '../src/records.js';
import type { StorageRead, StorageReadResult, StorageTransaction } from '../src/storage.js';

export class MemoryStorage {
  readonly records = new Map<number, PartitionRecord>();
  private readonly generations = new Map<string, Map<string, Row>>();

  apply(transaction: StorageTransaction): void {
    for (const record of transaction.records) this.records.set(record.partition, record);
    for (const { partition, generation, row } of transaction.upserts) {
      this.rows(partition, generation).set(row.key, row);
    }
    for (const { partition, generation, key } of transaction.removals) {
      this.rows(partition, generation).delete(key);
    }
  }

  removeGeneration(partition: number, generation: number): void {
    this.generations.delete(`${partition}/${generation}`);
  }

  liveRows(partition: number): Map<string, Row> {
    return this.rows(partition, this.records.get(partition)?.generation ?? 0);
  }

  read(read: StorageRead): StorageReadResult {
    const { id } = read;
    switch (read.kind) {
      case 'rows':
        return {
          kind: 'rows',
          id,
          rows: read.keys.map(
            ({ partition, generation, key }) => this.rows(partition, generation).get(key) ?? null,
          ),
        };
      case 'scan': {
        const rows = read.partitions.flatMap(({ partition, generation }) =>
          this.sorted(partition, generation)
            .filter((row) => row.value !== null && compareKeys(row.key, read.range.start) >= 0)
            .filter((row) => read.range.end === null || compareKeys(row.key, read.range.end) < 0)
            .map((row) => ({ partition, row })),
        );
        return { kind: 'scan', id, rows: rows.slice(0, read.limitRows), more: rows.length > read.limitRows };
      }
      case 'delta': {
        const rows = this.sorted(read.partition, read.generation).filter((row) => row.revision > read.base);
        const all = this.rows(read.partition, read.generation);
        const named = read.keys.map((key) => all.get(key) ?? null);
        return { kind: 'delta', id, rows, named, tooLarge: rows.length > read.limitRows };
      }
      case 'page': {
        const rows = this.sorted(read.partition, read.generation).filter(
          (row) => row.revision > read.base && compareKeys(row.key, read.start) >= 0,
        );
        const nextKey = rows[read.limitRows]?.key ?? null;
        return { kind: 'page', id, rows: rows.slice(0, read.limitRows), nextKey };
      }
    }
  }

  private rows(partition: number, generation: number): Map<string, Row> {
    const name = `${partition}/${generation}`;
    let rows = this.generations.get(name);
    if (rows === undefined) {
      rows = new Map();
      this.generations.set(name, rows);
    }
    return rows;
  }

  private sorted(partition: number, generation: number): Row[] {
    return [...this.rows(partition, generation).values()].sort((a, b) => compareKeys(a.key, b.key));
  }
}
