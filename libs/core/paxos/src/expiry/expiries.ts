import type { HybridTime } from '@ringleader/primitives';
import type { Row } from '../records.js';

const NONE = Number.POSITIVE_INFINITY;

/**
 * From when on a row of a replica may have expired, as far as that is known: no later than the first one, of those that
 * passed and of those that the last pass over its rows has found (docs/PROTOCOL.md 4.6.8).
 */
export class Expiries {
  /** 0 where nothing is known. */
  private earliest: HybridTime;
  /** On the shard's own clock. */
  private restsUntil = Number.NEGATIVE_INFINITY;

  constructor(hasRows: boolean) {
    this.earliest = hasRows ? 0 : NONE;
  }

  /** A row is live now, or was found to be. */
  note({ expiresAt }: Pick<Row, 'expiresAt'>): void {
    if (expiresAt !== null && expiresAt < this.earliest) this.earliest = expiresAt;
  }

  /** Rows are there that nobody looked at. */
  forget(): void {
    this.earliest = 0;
  }

  isDue(at: HybridTime, now: number): boolean {
    return this.earliest <= at && this.restsUntil <= now;
  }

  /** All rows are looked at from here on, and those that pass are noted. */
  beginPass(): void {
    this.earliest = NONE;
  }

  endPass(restsUntil: number): void {
    this.restsUntil = restsUntil;
  }
}
