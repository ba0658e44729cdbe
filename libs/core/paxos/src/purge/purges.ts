/** What a shard is about, of all its purging. */
import type { Replica } from '../partition/replica.js';

export class Purges {
  /** Those with tombstones that are known, or not looked for yet. Whose turn it is stands first. */
  readonly waiting = new Set<Replica>();
  /** Tombstones that may be purged before the next beat. */
  credit = 0;
  /** Rows that had been written at the last beat. */
  rowsTakenBefore = 0;
  isStepUnderWay = false;
  /** Pages that may be looked at before the next beat. */
  looks = 0;
  isLooking = false;
  purgedTotal = 0;

  /** It has had its turn. */
  toTheEnd(replica: Replica): void {
    this.waiting.delete(replica);
    this.waiting.add(replica);
  }
}
