/**
 * The tombstones among a replica's live rows, as far as they are known: those that passed since the process began, within
 * bounds, and those that a pass over the partition's primary key has found since (docs/PROTOCOL.md 4.6.7).
 */
import type { HybridTime, Revision } from '@ringleader/primitives';
import type { MemoryShare } from '../partition/memory-share.js';
import type { Row } from '../records.js';

export interface Tombstone {
  readonly key: string;
  readonly revision: Revision;
  /** Up to here the row remembers, or has forgotten, requests (4.6.2). */
  readonly floor: HybridTime;
}

/** The entry, its place in the map, and the string besides its characters. */
const ENTRY_BYTES = 136;

export class Tombstones {
  private readonly byKey = new Map<string, Tombstone>();
  private bytes = 0;
  /** Revisions ascend in the map's order. */
  private isOrdered = true;
  private newest: Revision = 0;
  /** There is none that is known up to here. */
  private goneTo: Revision = 0;
  /** Of the present pass, the first key that it has not looked at; null where none is due. */
  private next: string | null;
  /** Some were left out since the present pass began. */
  private missed = false;

  /** `wake` is called whenever there is something to do. */
  constructor(
    hasRows: boolean,
    private readonly share: MemoryShare,
    private readonly wake: () => void,
  ) {
    this.next = hasRows ? '' : null;
    if (hasRows) wake();
  }

  get size(): number {
    return this.byKey.size;
  }

  /** Where the pass goes on; null where none is due, or there is no room for what it would find. */
  get passFrom(): string | null {
    return this.share.isExceededBy(this.bytes) ? null : this.next;
  }

  get isPassDue(): boolean {
    return this.next !== null;
  }

  /** A live row has changed; null is gone. */
  note(key: string, row: Row | null): void {
    if (this.byKey.size > 0) this.forget(key);
    if (row !== null && row.value === null) this.add(row);
  }

  /** The pass has looked at the rows up to `nextKey`, and these are tombstones; null is the end. */
  found(rows: readonly Row[], nextKey: string | null): void {
    for (const row of rows) if (!this.byKey.has(row.key)) this.add(row);
    if (nextKey !== null) {
      this.next = nextKey;
      return;
    }
    this.next = this.missed ? '' : null;
    this.missed = false;
  }

  /** Other rows are live now: nothing is known of them. */
  reset(): void {
    this.byKey.clear();
    this.account(-this.bytes);
    this.isOrdered = true;
    this.newest = 0;
    this.goneTo = 0;
    this.next = '';
    this.missed = false;
    this.wake();
  }

  /** Those up to a revision whose requests are from before that time, so many at most. */
  upTo(point: Revision, before: HybridTime, max: number): Tombstone[] {
    if (point <= this.goneTo) return [];
    const found: Tombstone[] = [];
    let passedOver = false;
    for (const tombstone of this.byKey.values()) {
      if (found.length >= max) return found;
      if (tombstone.revision > point) {
        if (this.isOrdered) break;
      } else if (tombstone.floor > before) {
        passedOver = true;
      } else {
        found.push(tombstone);
      }
    }
    if (found.length === 0 && !passedOver) this.goneTo = point;
    return found;
  }

  private add({ key, revision, requests, requestFloor }: Row): void {
    if (this.share.isExceededBy(this.bytes)) {
      if (this.next === null) this.next = '';
      else this.missed = true;
      return;
    }
    let floor = requestFloor;
    for (const { origin } of requests) floor = Math.max(floor, origin);
    if (this.byKey.size === 0) {
      this.isOrdered = true;
      this.newest = 0;
      this.wake();
    }
    this.byKey.set(key, { key, revision, floor });
    this.account(bytesOf(key));
    this.isOrdered &&= revision >= this.newest;
    this.newest = Math.max(this.newest, revision);
    if (revision <= this.goneTo) this.goneTo = 0;
  }

  private forget(key: string): void {
    if (this.byKey.delete(key)) this.account(-bytesOf(key));
  }

  private account(bytes: number): void {
    this.bytes += bytes;
    this.share.add(bytes);
  }
}

const bytesOf = (key: string): number => ENTRY_BYTES + key.length * 2;
