/**
 * The twin of a shard's PostgreSQL, in memory and obvious: what a `StorageTransaction` changes and what a `StorageRead`
 * answers, exactly as the storage interface declares it. The conformance suite (libs/testing/conformance) holds both to
 * the same tests; this library's own tests and the simulation run on this one.
 */
import { compareKeys, invariant, type PartitionIndex } from '@ringleader/primitives';
import type { PartitionRecord, Row } from '../records.js';
import {
  ROW_OVERHEAD_BYTES,
  type DeltaRead,
  type DigestRead,
  type GenerationRemoval,
  type PageRead,
  type RowAddress,
  type RowRead,
  type ScanRead,
  type StorageRead,
  type StorageReadResult,
  type StorageTransaction,
  type StoredRow,
  type TombstoneRead,
} from '../storage.js';

export type Rows = ReadonlyMap<string, Row>;

export class MemoryStorage {
  readonly records = new Map<PartitionIndex, PartitionRecord>();
  private readonly generations = new Map<string, Map<string, Row>>();

  apply(transaction: StorageTransaction): void {
    for (const record of transaction.records) this.records.set(record.partition, record);
    for (const { partition, generation, row } of transaction.upserts) {
      this.put({ partition, generation, key: row.key }, row);
    }
    for (const removal of transaction.removals) {
      const { revision } = removal;
      if (revision === null || this.row(removal)?.revision === revision) this.put(removal, null);
    }
  }

  /** Into an empty one, which is on its own from then on. */
  copyInto(other: MemoryStorage): void {
    for (const [partition, record] of this.records) other.records.set(partition, record);
    for (const [name, rows] of this.generations) {
      const [partition, generation] = name.split('/').map(Number) as [number, number];
      for (const [key, row] of rows) other.put({ partition, generation, key }, row);
    }
  }

  removeGeneration({ partition, generation }: GenerationRemoval): void {
    this.generations.delete(nameOf(partition, generation));
  }

  /** What a shell does at its start: copies that no record goes on with. */
  removeUnnamedGenerations(): void {
    const named = new Set<string>();
    for (const { partition, generation, staging } of this.records.values()) {
      named.add(nameOf(partition, generation));
      if (staging !== null) named.add(nameOf(partition, staging.generation));
    }
    for (const name of this.generations.keys()) if (!named.has(name)) this.generations.delete(name);
  }

  liveRows(partition: PartitionIndex): Rows {
    return this.rows(partition, this.records.get(partition)?.generation ?? 0);
  }

  /** In whichever generation. */
  countRows(partition: PartitionIndex): number {
    const isOf = ([name]: [string, Rows]): boolean => name.startsWith(`${partition}/`);
    return [...this.generations].filter(isOf).reduce((sum, [, rows]) => sum + rows.size, 0);
  }

  read(read: StorageRead): StorageReadResult {
    switch (read.kind) {
      case 'rows':
        return { kind: 'rows', id: read.id, rows: read.keys.map((asked) => this.stored(asked)) };
      case 'scan':
        return this.scan(read);
      case 'delta':
        return this.delta(read);
      case 'page':
        return this.page(read);
      case 'tombstones':
        return this.tombstones(read);
      case 'digests':
        return this.digests(read);
    }
  }

  /** Called for every change of a row; null is no row. */
  protected changed(_address: RowAddress, _before: Row | null, _after: Row | null): void {
    // For those who keep something about the rows.
  }

  private stored({ valueBytesMax, ...address }: RowRead): StoredRow | null {
    const row = this.row(address);
    if (row === null) return null;
    const isBare = row.value !== null && row.value.length > valueBytesMax;
    return { row: isBare ? { ...row, value: new Uint8Array(0) } : row, isBare };
  }

  private put(address: RowAddress, row: Row | null): void {
    const { partition, generation, key } = address;
    const rows = this.rows(partition, generation);
    this.changed(address, rows.get(key) ?? null, row);
    if (row === null) rows.delete(key);
    else rows.set(key, row);
  }

  private rows(partition: PartitionIndex, generation: number): Map<string, Row> {
    const name = nameOf(partition, generation);
    let rows = this.generations.get(name);
    if (rows === undefined) {
      rows = new Map();
      this.generations.set(name, rows);
    }
    return rows;
  }

  private row({ partition, generation, key }: RowAddress): Row | null {
    return this.rows(partition, generation).get(key) ?? null;
  }

  private past(partition: PartitionIndex, generation: number, base: number): Row[] {
    return [...this.rows(partition, generation).values()]
      .filter(({ revision }) => revision > base)
      .sort((a, b) => compareKeys(a.key, b.key));
  }

  private scan(read: ScanRead): StorageReadResult {
    const { start, end } = read.range;
    const found = read.partitions
      .flatMap(({ partition, generation }) =>
        [...this.rows(partition, generation).values()].map((row) => ({ partition, row })),
      )
      .filter(({ row: { key, value } }) => value !== null && compareKeys(key, start) >= 0)
      .filter(({ row: { key } }) => end === null || compareKeys(key, end) < 0)
      .sort((a, b) => compareKeys(a.row.key, b.row.key));
    if (read.reverse) found.reverse();
    const shown = found.map(({ partition, row }) => ({ partition, row: shownRow(row, read.keysOnly) }));
    const count = prefixWithin(
      shown.map(({ row }) => row),
      read,
    );
    return { kind: 'scan', id: read.id, rows: shown.slice(0, count), more: count < shown.length };
  }

  private delta(read: DeltaRead): StorageReadResult {
    const { id, partition, generation, base, keys, limitBytes } = read;
    const rows = this.past(partition, generation, base);
    const named = keys.map((key) => this.row({ partition, generation, key }));
    const namedBytes = named.reduce((sum, row) => sum + (row?.value?.length ?? 0), 0);
    const tooLarge = prefixWithin(rows, read) < rows.length || namedBytes > limitBytes;
    if (tooLarge) return { kind: 'delta', id, rows: [], named: [], tooLarge };
    return { kind: 'delta', id, rows, named, tooLarge };
  }

  private tombstones({ id, partition, generation, start, limitRows }: TombstoneRead): StorageReadResult {
    const rows = this.past(partition, generation, 0).filter(({ key }) => compareKeys(key, start) >= 0);
    const tombstones = rows.slice(0, limitRows).filter(({ value }) => value === null);
    return { kind: 'tombstones', id, rows: tombstones, nextKey: rows[limitRows]?.key ?? null };
  }

  private page(read: PageRead): StorageReadResult {
    const rows = this.past(read.partition, read.generation, read.base)
      .filter(({ key }) => compareKeys(key, read.start) >= 0)
      .map((row) => shownRow(row, read.keysOnly));
    const count = prefixWithin(rows, read);
    return { kind: 'page', id: read.id, rows: rows.slice(0, count), nextKey: rows[count]?.key ?? null };
  }

  private digests(read: DigestRead): StorageReadResult {
    const { id, partition, generation, start, end, wantsRows } = read;
    const rows = this.past(partition, generation, Number.NEGATIVE_INFINITY).filter(
      ({ key }) => compareKeys(key, start) >= 0 && (end === null || compareKeys(key, end) < 0),
    );
    const found = rows.slice(0, prefixWithin(rows, read));
    const digests = found.map((row) => {
      const { key, revision, value } = row;
      return { key, revision, live: value !== null, digest: digestOf(row) };
    });
    const bytes = found.reduce((sum, row) => sum + bytesOf(row), 0);
    const nextKey = rows[found.length]?.key ?? null;
    return { kind: 'digests', id, digests, rows: wantsRows ? found : [], nextKey, bytes };
  }
}

/** Of all fields, in a form of its own: only equality counts. */
function digestOf({ value, requests, ...row }: Row): string {
  const fields = [
    ...[row.key, row.contentType, row.revision, row.version, row.createdAt, row.modifiedAt],
    ...[row.expiresAt, row.requestFloor, value === null ? null : [...value]],
    [...requests].map(({ id, origin, revision, version }) => [id, origin, revision, version]),
  ];
  const text = JSON.stringify(fields);
  return [1, 2, 3, 4].map((seed) => laneOf(text, seed)).join('');
}

/** FNV-1a. */
function laneOf(text: string, seed: number): string {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

const NO_VALUE = new Uint8Array(0);

function shownRow(row: Row, keysOnly: boolean): Row {
  return keysOnly && row.value !== null ? { ...row, value: NO_VALUE } : row;
}

/** How many rows are inside the limits, which a database takes as whole numbers only. */
function prefixWithin(
  rows: readonly Row[],
  { limitRows, limitBytes }: { limitRows: number; limitBytes: number },
) {
  invariant(
    Number.isInteger(limitRows) && Number.isInteger(limitBytes),
    `A limit is a whole number: ${limitRows} rows, ${limitBytes} bytes`,
  );
  let bytesBefore = 0;
  let count = 0;
  for (const row of rows) {
    if (count >= limitRows || (count > 0 && bytesBefore >= limitBytes)) break;
    bytesBefore += bytesOf(row);
    count += 1;
  }
  return count;
}

const bytesOf = ({ key, value }: Row): number => utf8Bytes(key) + (value?.length ?? 0) + ROW_OVERHEAD_BYTES;

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    bytes += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
  }
  return bytes;
}

function nameOf(partition: PartitionIndex, generation: number): string {
  return `${partition}/${generation}`;
}
