/**
 * Newest rows of the partitions that this shard leads, over all of them the least recently used go first. A row that is
 * not committed is pinned: the storage may not have it yet, so reading it again could bring an older one back.
 */
import type { Revision } from '@ringleader/primitives';
import type { Row } from '../records.js';
import type { StoredRow } from '../storage.js';
import { CachedValues } from './row-cache-values.js';

/** One leadership's part of the cache. */
interface CachedRows {
  readonly rows: Map<string, CacheEntry>;
}

/** What tells whether a row is committed. */
interface Committing {
  readonly commit: Revision;
}

export interface CacheEntry {
  readonly key: string;
  readonly leader: CachedRows;
  readonly replica: Committing;
  /** Null: the key has no row. */
  row: Row | null;
  /** The row was read for a write, and has an empty value in place of its own. */
  isBare: boolean;
  /** The newest row known to be committed when a later one went in flight. */
  settled: Row | null;
  bytes: number;
  previous: CacheEntry | null;
  next: CacheEntry | null;
}

/** Is the row committed at its leader? */
export type IsSettled = (entry: CacheEntry) => boolean;

/** The entry, its place in the map, the row, its numbers, key and view of the value, as measured in heap snapshots. */
const ENTRY_OVERHEAD_BYTES = 480;
const MARK_BYTES = 64;

export class RowCache {
  private newest: CacheEntry | null = null;
  private oldest: CacheEntry | null = null;
  /** Without values. */
  private bytes = 0;
  private readonly values = new CachedValues();

  constructor(
    private readonly bytesMax: number,
    private readonly isSettled: IsSettled,
  ) {}

  get sizeBytes(): number {
    return this.bytes + this.values.heldBytes;
  }

  get(leader: CachedRows, key: string): CacheEntry | undefined {
    const entry = leader.rows.get(key);
    if (entry !== undefined && entry !== this.newest) {
      this.unlink(entry);
      this.linkNewest(entry);
    }
    return entry;
  }

  /** A row read from the storage. If the key was written while the read was under way, what was written stands. */
  addRead(replica: Committing, leader: CachedRows, key: string, read: StoredRow | null): CacheEntry {
    const row = read === null ? null : read.row;
    const isBare = read !== null && read.isBare;
    const present = this.get(leader, key);
    if (present !== undefined) {
      if (present.isBare) this.complete(present, row, isBare);
      return present;
    }
    const links = { previous: null, next: null };
    const entry: CacheEntry = {
      ...{ key, replica, leader, row: this.hold(row), isBare, settled: null, bytes: 0 },
      ...links,
    };
    leader.rows.set(key, entry);
    this.linkNewest(entry);
    this.account(entry);
    this.evict();
    return entry;
  }

  /** The value as a row that is written next has it (`write`): not a part of the frame that brought it. */
  holdValue(value: Uint8Array): Uint8Array {
    return this.values.hold(value);
  }

  /** `settled` is the entry's present row, or its present settled one, or none. The row's value is held already. */
  write(entry: CacheEntry, row: Row, settled: Row | null): void {
    const { row: rowBefore, settled: settledBefore } = entry;
    entry.settled = settled;
    entry.row = row;
    entry.isBare = false;
    if (rowBefore !== settled) this.release(rowBefore);
    if (settledBefore !== settled) this.release(settledBefore);
    this.account(entry);
    this.evict();
  }

  private complete(entry: CacheEntry, row: Row | null, isBare: boolean): void {
    this.release(entry.row);
    entry.row = this.hold(row);
    entry.isBare = isBare;
    this.account(entry);
    this.evict();
  }

  /** The storage has another row than was read from it. */
  drop(leader: CachedRows, key: string): void {
    const entry = leader.rows.get(key);
    if (entry === undefined) return;
    this.remove(entry);
    leader.rows.delete(key);
  }

  dropAll(leader: CachedRows): void {
    for (const entry of leader.rows.values()) this.remove(entry);
    leader.rows.clear();
  }

  private evict(): void {
    let entry = this.oldest;
    while (this.sizeBytes > this.bytesMax && entry !== null && entry !== this.newest) {
      const newer: CacheEntry | null = entry.previous;
      if (this.isSettled(entry)) {
        this.remove(entry);
        entry.leader.rows.delete(entry.key);
      }
      entry = newer;
    }
  }

  private account(entry: CacheEntry): void {
    this.bytes -= entry.bytes;
    entry.bytes =
      ENTRY_OVERHEAD_BYTES + entry.key.length * 2 + markBytes(entry.row) + markBytes(entry.settled);
    this.bytes += entry.bytes;
  }

  private remove(entry: CacheEntry): void {
    this.unlink(entry);
    this.bytes -= entry.bytes;
    this.release(entry.row);
    this.release(entry.settled);
  }

  private hold(row: Row | null): Row | null {
    if (row === null || row.value === null) return row;
    return { ...row, value: this.values.hold(row.value) };
  }

  private release(row: Row | null): void {
    if (row !== null && row.value !== null) this.values.release(row.value);
  }

  private linkNewest(entry: CacheEntry): void {
    entry.previous = null;
    entry.next = this.newest;
    if (this.newest !== null) this.newest.previous = entry;
    this.newest = entry;
    this.oldest ??= entry;
  }

  private unlink(entry: CacheEntry): void {
    if (entry.previous !== null) entry.previous.next = entry.next;
    else if (this.newest === entry) this.newest = entry.next;
    if (entry.next !== null) entry.next.previous = entry.previous;
    else if (this.oldest === entry) this.oldest = entry.previous;
    entry.previous = null;
    entry.next = null;
  }
}

function markBytes(row: Row | null): number {
  return row === null ? 0 : row.requests.length * MARK_BYTES;
}
