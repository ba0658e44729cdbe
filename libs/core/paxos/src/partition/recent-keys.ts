import type { Revision } from '@ringleader/primitives';
import type { Row } from '../records.js';
import type { MemoryShare } from './memory-share.js';

/** Of the two arrays, and of the string besides its characters. */
const ENTRY_BYTES = 48;

/**
 * The keys of a replica's recent revisions, so that a repair can name what it has past a base without a pass over the
 * partition (docs/PROTOCOL.md 4.3.8). Complete for revisions past `from`, bounded, forgotten from the old end.
 */
export class RecentKeys {
  private revisions: Revision[] = [];
  private keys: string[] = [];
  private bytes = 0;

  constructor(
    private from: Revision,
    private readonly entriesMax: number,
    private readonly share: MemoryShare,
  ) {}

  add(row: Row): void {
    this.revisions.push(row.revision);
    this.keys.push(row.key);
    this.account(bytesOf(row.key));
  }

  /** To be called between batches: what is dropped must be whole revisions, and within a batch they are in any order. */
  trim(): void {
    const { length } = this.keys;
    if (this.share.isExceededBy(this.bytes)) this.drop(length >> 1);
    else if (length > this.entriesMax * 2) this.drop(length - this.entriesMax);
  }

  /** The rows were replaced: complete from `from` on with exactly these. */
  reset(from: Revision, rows: readonly Row[]): void {
    this.account(-this.bytes);
    this.from = from;
    this.revisions = [];
    this.keys = [];
    for (const row of rows) if (row.revision > from) this.add(row);
    this.trim();
  }

  /** Each key once; null where the memory does not reach back that far. */
  past(base: Revision): string[] | null {
    if (base < this.from) return null;
    const keys = new Set<string>();
    this.revisions.forEach((revision, index) => {
      const key = this.keys[index];
      if (revision > base && key !== undefined) keys.add(key);
    });
    return [...keys];
  }

  private drop(count: number): void {
    for (const revision of this.revisions.slice(0, count)) this.from = Math.max(this.from, revision);
    for (const key of this.keys.slice(0, count)) this.account(-bytesOf(key));
    this.revisions = this.revisions.slice(count);
    this.keys = this.keys.slice(count);
  }

  private account(bytes: number): void {
    this.bytes += bytes;
    this.share.add(bytes);
  }
}

const bytesOf = (key: string): number => ENTRY_BYTES + key.length * 2;
