/**
 * Reads rows by their keys: one statement in flight, and what arrives meanwhile goes into the next one. A statement
 * starts after all its reads were handed over, so its snapshot is one "taken after" for each of them.
 *
 * A statement brings a few megabytes at most: a long value is left out of one that asks for many rows, which tells its
 * length, and is asked for again together with as many others as fit.
 */
import type { RowAddress, RowRead, StoredRow } from '@ringleader/paxos';
import { ArrayParameter, type HotConnection, type Parameter, type Statement } from '@ringleader/postgres';
import { ROW_METADATA, rowFromText } from './row-columns.js';

const KEYS_PER_STATEMENT_MAX = 128;
/** It is in memory as text, twice as long. */
const STATEMENT_BYTES = 4 * 1024 * 1024;
const KEY_BYTES_EXPECTED = 40;

/** A value that is left out reads as an empty one; a tombstone stays a tombstone. */
const ROWS_BY_KEY: Statement = {
  name: 'rows_by_key',
  text: `SELECT place, octet_length(value), rows.key,
      CASE WHEN octet_length(value) <= bytes_max THEN value WHEN value IS NOT NULL THEN ''::bytea END, ${ROW_METADATA}
    FROM unnest($1::smallint[], $2::bigint[], $3::bytea[], $4::bigint[])
      WITH ORDINALITY AS asked (partition, generation, key, bytes_max, place)
    JOIN rows ON rows.partition = asked.partition AND rows.generation = asked.generation AND rows.key = asked.key`,
};

interface PendingRead {
  readonly keys: readonly RowRead[];
  readonly resolve: (rows: readonly (StoredRow | null)[]) => void;
  readonly reject: (error: unknown) => void;
}

export class PointReader {
  private readonly waiting: PendingRead[] = [];
  private isBusy = false;

  constructor(private readonly connection: HotConnection) {}

  /** `rows[i]` belongs to `keys[i]`; null where none is. */
  read(keys: readonly RowRead[]): Promise<readonly (StoredRow | null)[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ keys, resolve, reject });
      if (!this.isBusy) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.isBusy = true;
    // What else is handed over in this turn of the event loop goes into the first statement, too.
    await Promise.resolve();
    while (this.waiting.length > 0) await this.answer(this.takeBatch());
    this.isBusy = false;
  }

  /** At least one, and as many as a statement takes. */
  private takeBatch(): readonly PendingRead[] {
    let keys = 0;
    const end = this.waiting.findIndex((read, index) => {
      keys += read.keys.length;
      return index > 0 && keys > KEYS_PER_STATEMENT_MAX;
    });
    return this.waiting.splice(0, end < 0 ? this.waiting.length : end);
  }

  /** Each is answered as soon as it is complete, so that the long values of all are not in memory together. */
  private async answer(batch: readonly PendingRead[]): Promise<void> {
    try {
      const asked = batch.length === 1 ? batch[0]!.keys : batch.flatMap(({ keys }) => keys);
      const fetch = new RowFetch(this.connection, asked);
      await fetch.first();
      let from = 0;
      for (const read of batch) {
        read.resolve(await fetch.take(from, from + read.keys.length));
        from += read.keys.length;
      }
    } catch (error) {
      // Those that were answered before stay answered.
      for (const read of batch) read.reject(error);
    }
  }
}

/** `rows[i]` belongs to `asked[i]`; null where none is. */
export async function fetchRows(
  connection: HotConnection,
  asked: readonly RowRead[],
): Promise<readonly (StoredRow | null)[]> {
  const fetch = new RowFetch(connection, asked);
  await fetch.first();
  return fetch.take(0, asked.length);
}

class RowFetch {
  private readonly found: (StoredRow | null)[];
  /** Places of values that were left out for their length, though they are wanted, and that length. */
  private readonly left = new Map<number, number>();

  constructor(
    private readonly connection: HotConnection,
    private readonly asked: readonly RowRead[],
  ) {
    this.found = new Array<StoredRow | null>(asked.length).fill(null);
  }

  /** All but what is long. */
  async first(): Promise<void> {
    for (let from = 0; from < this.asked.length; from += KEYS_PER_STATEMENT_MAX) {
      const count = Math.min(KEYS_PER_STATEMENT_MAX, this.asked.length - from);
      const places = Array.from({ length: count }, (_, index) => from + index);
      await this.fetch(places, Math.floor(STATEMENT_BYTES / count));
    }
  }

  /** Completes the rows of these places, and gives them away. */
  async take(from: number, to: number): Promise<readonly (StoredRow | null)[]> {
    let places: number[] = [];
    let bytes = 0;
    for (const [place, length] of [...this.left].filter(([left]) => left >= from && left < to)) {
      if (places.length > 0 && bytes + length > STATEMENT_BYTES) {
        await this.fetch(places, Number.POSITIVE_INFINITY);
        places = [];
        bytes = 0;
      }
      places.push(place);
      bytes += length;
    }
    if (places.length > 0) await this.fetch(places, Number.POSITIVE_INFINITY);
    const rows = this.found.slice(from, to);
    this.found.fill(null, from, to);
    return rows;
  }

  private async fetch(places: readonly number[], bytesMax: number): Promise<void> {
    const asked = places.map((place) => this.asked[place]!);
    const parameters = [...addressParameters(asked), bytesParameter(asked, bytesMax)];
    for (const columns of await this.connection.run(ROWS_BY_KEY, parameters)) {
      const place = places[Number(columns[0]) - 1]!;
      const length = Number(columns[1]);
      const { valueBytesMax } = this.asked[place]!;
      if (length > bytesMax && length <= valueBytesMax) this.left.set(place, length);
      else this.found[place] = { row: rowFromText(columns, 2), isBare: length > valueBytesMax };
    }
  }
}

function bytesParameter(asked: readonly RowRead[], bytesMax: number): Buffer {
  const bytes = new ArrayParameter('bigint', asked.length * 12);
  for (const { valueBytesMax } of asked)
    bytes.bigint(Math.min(valueBytesMax, bytesMax, Number.MAX_SAFE_INTEGER));
  return bytes.finish();
}

export function addressParameters(addresses: readonly RowAddress[]): Parameter[] {
  const partition = new ArrayParameter('smallint', addresses.length * 6);
  const generation = new ArrayParameter('bigint', addresses.length * 12);
  const key = new ArrayParameter('bytea', addresses.length * KEY_BYTES_EXPECTED);
  for (const address of addresses) {
    partition.smallint(address.partition);
    generation.bigint(address.generation);
    key.utf8(address.key);
  }
  return [partition.finish(), generation.finish(), key.finish()];
}
