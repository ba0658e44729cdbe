import type { Ballot, Revision } from '@ringleader/primitives';
import type { Accept } from '../messages.js';
import type { Position, RequestMark, Row } from '../records.js';
import { isKeyed } from '../requests.js';
import type { NewestByKey } from './newest-by-key.js';

/** Rows that will go out together: of several writes to one key only the last has a row (docs/PROTOCOL.md 4.2.1). */
export interface OpenBatch {
  readonly rows: NewestByKey<Row>;
  /** The revision before its first one. */
  readonly after: Revision;
  lastRevision: Revision;
  bytes: number;
}

export interface SentBatch {
  readonly previous: Position;
  readonly next: Position;
  readonly rows: readonly Row[];
  readonly bytes: number;
  /** As it was last sent: the same for all receivers, as long as the commit point is. */
  message: Accept | null;
}

/** Committed batches kept for a replica that lost one: a resend is cheaper than a repair. */
const COMMITTED_ROWS_MAX = 256;
const COMMITTED_BYTES_MAX = 262_144;

/** Consecutive batches of one leadership: all that are not committed, and a few that are. */
export class RetainedBatches {
  private readonly batches: SentBatch[] = [];

  add(batch: SentBatch): void {
    this.batches.push(batch);
  }

  /** The batch at a place among these; undefined at the end. */
  at(index: number): SentBatch | undefined {
    return this.batches[index];
  }

  /** Where the batches from a position of the own ballot on begin: at the very end there are none. -1 where they are not all here. */
  indexFrom(ballot: Ballot, revision: Revision): number {
    const { batches } = this;
    const last = batches.at(-1);
    if (last !== undefined && isAt(last.next, ballot, revision)) return batches.length;
    // What is looked for is mostly the last one.
    for (let index = batches.length - 1; index >= 0; index -= 1) {
      if (isAt(batches[index]!.previous, ballot, revision)) return index;
    }
    return -1;
  }

  /** The same of the barrier. */
  indexOfBarrier(): number {
    const first = this.batches[0];
    return first !== undefined && first.previous.ballot !== first.next.ballot ? 0 : -1;
  }

  last(): SentBatch | undefined {
    return this.batches.at(-1);
  }

  bytesPast(commit: Revision): number {
    let bytes = 0;
    for (let index = this.batches.length - 1; index >= 0; index -= 1) {
      const batch = this.batches[index];
      if (batch === undefined || batch.next.revision <= commit) break;
      bytes += batch.bytes;
    }
    return bytes;
  }

  /** Drops what every replica has, and of the rest what is committed and past the bounds. */
  prune(commit: Revision, acknowledgedByAll: Revision): void {
    let rows = 0;
    let bytes = 0;
    let keepFrom = this.batches.length;
    while (keepFrom > 0) {
      const batch = this.batches[keepFrom - 1];
      if (batch === undefined || batch.next.revision <= acknowledgedByAll) break;
      if (batch.next.revision <= commit) {
        rows += batch.rows.length;
        bytes += batch.bytes;
        if (rows > COMMITTED_ROWS_MAX || bytes > COMMITTED_BYTES_MAX) break;
      }
      keepFrom -= 1;
    }
    // The last batch stays: it is what a silent replica is asked with.
    keepFrom = Math.min(keepFrom, this.batches.length - 1);
    for (; keepFrom > 0; keepFrom -= 1) this.batches.shift();
  }
}

function isAt(position: Position, ballot: Ballot, revision: Revision): boolean {
  return position.ballot === ballot && position.revision === revision;
}

/**
 * Replicas learn of requests by the marks of the rows that pass: a batch must not hold a row that has forgotten an earlier
 * keyed write of the same batch (docs/PROTOCOL.md 4.7.6).
 */
export function hidesKeyedWrite(batch: OpenBatch, row: Row): boolean {
  const replaced = batch.rows.get(row.key);
  if (replaced === undefined || replaced.requests.mayBeKeyed === false) return false;
  const kept = new Set([...row.requests].map(({ id }) => id));
  const isHidden = ({ id, revision }: RequestMark): boolean =>
    revision > batch.after && isKeyed(id) && !kept.has(id);
  return [...replaced.requests].some(isHidden);
}

/** About what a row costs in memory and on the wire. */
export function rowBytes(row: Row): number {
  return 64 + row.key.length + (row.value?.length ?? 0) + row.requests.length * 48;
}

export function bytesOf(rows: readonly Row[]): number {
  let bytes = 0;
  for (const row of rows) bytes += rowBytes(row);
  return bytes;
}
