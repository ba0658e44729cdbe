/**
 * Reads rows by their keys: one statement in flight, and what arrives meanwhile goes into the next one. A statement
 * starts after all its reads were handed over, so its snapshot is one "taken after" for each of them.
 */
import type { RowAddress, Row } from '@ringleader/paxos';
import { ArrayParameter, type HotConnection, type Parameter, type Statement } from '@ringleader/postgres';
import { ROW_METADATA, rowFromText } from './row-columns.js';

const KEYS_PER_STATEMENT_MAX = 128;
/** About what one statement should bring, judged by what the last ones brought: it is in memory as text, twice as long. */
const STATEMENT_BYTES = 4 * 1024 * 1024;
const KEY_BYTES_EXPECTED = 40;

/** Where the value is not wanted it reads as an empty one; a tombstone stays a tombstone. */
function rowsByKey(name: string, value: string): Statement {
  return {
    name,
    text: `SELECT place, rows.key, ${value}, ${ROW_METADATA}
      FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
        WITH ORDINALITY AS asked (partition, generation, key, place)
      JOIN rows ON rows.partition = asked.partition AND rows.generation = asked.generation AND rows.key = asked.key`,
  };
}

const ROWS_BY_KEY = rowsByKey('rows_by_key', 'value');
const METADATA_BY_KEY = rowsByKey('metadata_by_key', "CASE WHEN value IS NOT NULL THEN ''::bytea END");

interface PendingRead {
  readonly keys: readonly RowAddress[];
  readonly resolve: (rows: readonly (Row | null)[]) => void;
  readonly reject: (error: unknown) => void;
}

export class PointReader {
  private waiting: PendingRead[] = [];
  private isBusy = false;
  /** Of the rows read lately. */
  private rowBytes = 0;

  constructor(private readonly connection: HotConnection) {}

  /** `rows[i]` belongs to `keys[i]`; null where none is. */
  read(keys: readonly RowAddress[]): Promise<readonly (Row | null)[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ keys, resolve, reject });
      if (!this.isBusy) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.isBusy = true;
    // What else is handed over in this turn of the event loop goes into the first statement, too.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      await this.answer(batch);
    }
    this.isBusy = false;
  }

  private async answer(batch: readonly PendingRead[]): Promise<void> {
    const addresses = batch.length === 1 ? batch[0]!.keys : batch.flatMap(({ keys }) => keys);
    try {
      const rows = await this.fetch(addresses);
      let from = 0;
      for (const read of batch) {
        read.resolve(rows.slice(from, from + read.keys.length));
        from += read.keys.length;
      }
    } catch (error) {
      for (const read of batch) read.reject(error);
    }
  }

  private async fetch(addresses: readonly RowAddress[]): Promise<readonly (Row | null)[]> {
    const rows: (Row | null)[] = [];
    while (rows.length < addresses.length) {
      const asked = addresses.slice(rows.length, rows.length + this.keysPerStatement);
      const found = await fetchRows(this.connection, asked, false);
      this.learnSize(found);
      for (const row of found) rows.push(row);
    }
    return rows;
  }

  /** Follows large rows at once, and small ones slowly. */
  private learnSize(rows: readonly (Row | null)[]): void {
    const bytes = rows.reduce((sum, row) => sum + (row?.value?.length ?? 0), 0) / rows.length;
    this.rowBytes = Math.max(bytes, (this.rowBytes + bytes) / 2);
  }

  private get keysPerStatement(): number {
    const fitting = Math.floor(STATEMENT_BYTES / Math.max(1, this.rowBytes));
    return Math.max(1, Math.min(KEYS_PER_STATEMENT_MAX, fitting));
  }
}

/** `rows[i]` belongs to `addresses[i]`; null where none is. */
export async function fetchRows(
  connection: HotConnection,
  addresses: readonly RowAddress[],
  keysOnly: boolean,
): Promise<(Row | null)[]> {
  const rows = new Array<Row | null>(addresses.length).fill(null);
  const statement = keysOnly ? METADATA_BY_KEY : ROWS_BY_KEY;
  for (const columns of await connection.run(statement, addressParameters(addresses))) {
    rows[Number(columns[0]) - 1] = rowFromText(columns, 1);
  }
  return rows;
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
