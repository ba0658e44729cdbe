/**
 * One transaction of the core as one statement, in one round trip: the appended record entry, the rows, the removals, all
 * on the condition that the incarnation is still ours (docs/PROTOCOL.md 4.0, "one transaction").
 *
 * Rows come as two parameters: all their numbers in one array, which is indexed at no cost, and all their bytes in one
 * string, cut by positions among the numbers. An array per column costs the server a quarter more, and us as much: it keeps
 * each in a store of its own between reading and joining it.
 */
import { ByteWriter, requestMarksCodec } from '@ringleader/contracts';
import type { RowRemoval, RowUpsert, StorageTransaction } from '@ringleader/paxos';
import type { Incarnation } from '@ringleader/primitives';
import { ArrayParameter, type Parameter, type Statement } from '@ringleader/postgres';
import { encodeRecords } from './record-codec.js';

/** In the order in which `PackedRows` writes them; positions count from 1, a length of -1 is a null, as an expiry of -1 is. */
const NUMBERS = [
  'partition',
  'generation',
  'contentTypeAt',
  'contentTypeLength',
  'keyAt',
  'keyLength',
  'requestsAt',
  'requestsLength',
  'valueAt',
  'valueLength',
  'revision',
  'version',
  'createdAt',
  'modifiedAt',
  'expiresAt',
  'requestFloor',
] as const;
const number = (name: (typeof NUMBERS)[number]): string =>
  `($4::bigint[])[place + ${NUMBERS.indexOf(name) + 1}]`;

/** Bytes are the last parameter: the driver's buffer grows, and is copied, with whatever follows them. */
type BytesParameter = '$5' | '$9';

function cut(bytes: BytesParameter, part: 'contentType' | 'key' | 'requests' | 'value'): string {
  return `substring(${bytes}::bytea FROM ${number(`${part}At`)}::int FOR ${number(`${part}Length`)}::int)`;
}

/** The condition of each part of a statement; all parts see the database as it was before. */
const FENCE = 'FROM shard_identity WHERE incarnation = $1';
/** The last part: it counts as one changed row, or as none where the fence has not held. */
const LOGGED = `INSERT INTO record_log (id, records) SELECT $2, $3 ${FENCE}`;
const upserted = (bytes: BytesParameter): string => `upserted AS (
  INSERT INTO rows (partition, generation, key, value, content_type, revision, version,
                    created_at, modified_at, expires_at, requests, request_floor)
  SELECT ${number('partition')}::smallint, ${number('generation')}, ${cut(bytes, 'key')},
    CASE WHEN ${number('valueLength')} >= 0 THEN ${cut(bytes, 'value')} END, ${cut(bytes, 'contentType')},
    ${number('revision')}, ${number('version')}, ${number('createdAt')}, ${number('modifiedAt')},
    nullif(${number('expiresAt')}, -1), ${cut(bytes, 'requests')}, ${number('requestFloor')}
  FROM (SELECT generate_series(0, cardinality($4::bigint[]) - 1, ${NUMBERS.length}) AS place ${FENCE}) AS places
  ON CONFLICT (partition, generation, key) DO UPDATE SET
    value = excluded.value, content_type = excluded.content_type, revision = excluded.revision,
    version = excluded.version, created_at = excluded.created_at, modified_at = excluded.modified_at,
    expires_at = excluded.expires_at, requests = excluded.requests, request_floor = excluded.request_floor)`;
const REMOVED = `removed AS (
  DELETE FROM rows USING (
    SELECT unnest($5::smallint[]) AS partition, unnest($6::bigint[]) AS generation, unnest($7::bytea[]) AS key,
      unnest($8::bigint[]) AS revision ${FENCE}) AS gone
  WHERE rows.partition = gone.partition AND rows.generation = gone.generation AND rows.key = gone.key
    AND (gone.revision IS NULL OR rows.revision = gone.revision))`;

const RECORDS_ONLY: Statement = { name: 'commit_records', text: LOGGED };
const ROWS: Statement = { name: 'commit_rows', text: `WITH ${upserted('$5')} ${LOGGED}` };
const ROWS_AND_REMOVALS: Statement = {
  name: 'commit_rows_and_removals',
  text: `WITH ${upserted('$9')}, ${REMOVED} ${LOGGED}`,
};

const NUMBER_BYTES = 12;
/** Before a string of `ByteWriter`. */
const STRING_LENGTH_BYTES = 2;
const KEY_BYTES_EXPECTED = 40;
/** Of a row without key and value: marks of requests, the content type. More makes the memory grow. */
const REST_BYTES_EXPECTED = 256;
/** What the writer wants to find free behind the last row. */
const SPARE_BYTES = 8 * 1024;
/** Rows are written into the same memory again and again: a fresh megabyte for each costs more than its copy. */
const BYTES_KEPT_MAX = 4 * 1024 * 1024;

export interface PreparedTransaction {
  readonly statement: Statement;
  readonly values: Parameter[];
  /** Of the appended entry: how fast the record log grows. */
  readonly recordBytes: number;
}

export class RowWriter {
  private readonly writer = new ByteWriter();
  private memory = Buffer.alloc(0);

  constructor(private readonly incarnation: Incarnation) {}

  /** The parameters hold until the next call: one transaction at a time. It changes one row if the fence holds. */
  prepare(transaction: StorageTransaction, logId: number): PreparedTransaction {
    const records = encodeRecords(this.writer, transaction.records);
    const { removals } = transaction;
    const values: Parameter[] = [this.incarnation, logId, records];
    let statement = RECORDS_ONLY;
    if (transaction.upserts.length > 0 || removals.length > 0) {
      const rows = this.pack(notRemovedAfterwards(transaction));
      statement = removals.length === 0 ? ROWS : ROWS_AND_REMOVALS;
      values.push(rows.numbers.finish());
      if (removals.length > 0) values.push(...removalParameters(removals));
      values.push(rows.bytes.take());
    }
    return { statement, values, recordBytes: records.length };
  }

  private pack(upserts: readonly RowUpsert[]): PackedRows {
    const rows = new PackedRows(upserts.length, this.memoryFor(upserts));
    for (const upsert of upserts) rows.append(upsert);
    return rows;
  }

  private memoryFor(upserts: readonly RowUpsert[]): Buffer {
    let needed = SPARE_BYTES;
    for (const { row } of upserts) needed += REST_BYTES_EXPECTED + row.key.length + (row.value?.length ?? 0);
    if (needed > BYTES_KEPT_MAX) return Buffer.allocUnsafeSlow(needed);
    if (needed > this.memory.length) this.memory = Buffer.allocUnsafeSlow(roundedUp(needed));
    return this.memory;
  }
}

class PackedRows {
  readonly numbers: ArrayParameter;
  readonly bytes: ByteWriter;

  constructor(count: number, memory: Buffer) {
    this.numbers = new ArrayParameter('bigint', count * NUMBERS.length * NUMBER_BYTES);
    this.bytes = new ByteWriter(memory);
  }

  append({ partition, generation, row }: RowUpsert): void {
    const { numbers, bytes } = this;
    numbers.bigint(partition);
    numbers.bigint(generation);
    this.appendString(row.contentType);
    this.appendString(row.key);
    const requestsAt = bytes.length;
    requestMarksCodec.write(bytes, row.requests);
    this.appendPlace(requestsAt);
    const valueAt = bytes.length;
    if (row.value !== null) bytes.raw(row.value);
    numbers.bigint(valueAt + 1);
    numbers.bigint(row.value === null ? -1 : row.value.length);
    numbers.bigint(row.revision);
    numbers.bigint(row.version);
    numbers.bigint(row.createdAt);
    numbers.bigint(row.modifiedAt);
    numbers.bigint(row.expiresAt ?? -1);
    numbers.bigint(row.requestFloor);
  }

  /** Behind its length, which nobody reads. */
  private appendString(text: string): void {
    const at = this.bytes.length + STRING_LENGTH_BYTES;
    this.bytes.string(text);
    this.appendPlace(at);
  }

  /** Of what was written from there on. */
  private appendPlace(at: number): void {
    this.numbers.bigint(at + 1);
    this.numbers.bigint(this.bytes.length - at);
  }
}

function roundedUp(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(bytes));
}

/**
 * All parts of the statement see the database as it was before, so a row cannot be written and removed by it. Removals
 * come after upserts: the upsert of a row that is removed has no effect, and is left out.
 */
function notRemovedAfterwards({ upserts, removals }: StorageTransaction): readonly RowUpsert[] {
  if (removals.length === 0 || upserts.length === 0) return upserts;
  const removed = new Set(
    removals.map(({ partition, generation, key }) => `${partition}/${generation}/${key}`),
  );
  return upserts.filter(
    ({ partition, generation, row }) => !removed.has(`${partition}/${generation}/${row.key}`),
  );
}

function removalParameters(removals: readonly RowRemoval[]): Buffer[] {
  const partition = new ArrayParameter('smallint', removals.length * 6);
  const generation = new ArrayParameter('bigint', removals.length * 12);
  const key = new ArrayParameter('bytea', removals.length * KEY_BYTES_EXPECTED);
  const revision = new ArrayParameter('bigint', removals.length * 12);
  for (const removal of removals) {
    partition.smallint(removal.partition);
    generation.bigint(removal.generation);
    key.utf8(removal.key);
    if (removal.revision === null) revision.null();
    else revision.bigint(removal.revision);
  }
  return [partition, generation, key, revision].map((column) => column.finish());
}
