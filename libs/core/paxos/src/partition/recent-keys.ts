import type { Revision } from '@ringleader/primitives';
import type { Row } from '../records.js';

/**
 * The keys of a replica's recent revisions, so that a repair can name what it has past a base without a pass over the
 * partition (docs/PROTOCOL.md 4.3.8). Complete for revisions past `from`, bounded, forgotten from the old end.
 */
export class RecentKeys {
  private revisions: Revision[] = [];
  private keys: string[] = [];

  constructor(
    private from: Revision,
    private readonly entriesMax: number,
  ) {}

  add(row: Row): void {
    this.revisions.push(row.revision);
    this.keys.push(row.key);
  }

  /** To be called between batches: what is dropped must be whole revisions, and within a batch they are in any order. */
  trim(): void {
    if (this.keys.length <= this.entriesMax * 2) return;
    const dropped = this.keys.length - this.entriesMax;
    for (const revision of this.revisions.slice(0, dropped)) this.from = Math.max(this.from, revision);
    this.revisions = this.revisions.slice(dropped);
    this.keys = this.keys.slice(dropped);
  }

  /** The rows were replaced: complete from `from` on with exactly these. */
  reset(from: Revision, rows: readonly Row[]): void {
    this.from = from;
    const past = rows.filter((row) => row.revision > from);
    this.revisions = past.map((row) => row.revision);
    this.keys = past.map((row) => row.key);
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
}
