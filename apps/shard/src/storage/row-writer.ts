/**
 * One transaction of the core as one statement, in one round trip: the appended record entry, the rows, the removals, all
 * on the condition that the incarnation is still ours (docs/PROTOCOL.md 4.0, "one transaction").
 */
import { ByteWriter, requestMarksCodec } from '@ringleader/contracts';
import type { RowRemoval, RowUpsert, StorageTransaction } from '@ringleader/paxos';
import type { Incarnation } from '@ringleader/primitives';
import { ArrayParameter, arrayParameterBytes, type Parameter, type Statement } from '@ringleader/postgres';
import { encodeRecords } from './record-codec.js';

const FENCED = 'WITH fence AS (SELECT FROM shard_identity WHERE incarnation = $1)';
const LOGGED = 'logged AS (INSERT INTO record_log (id, records) SELECT $2, $3 FROM fence)';
/** Values are the last parameter: the driver's buffer grows, and is copied, with whatever follows them. */
const upserted = (values: '$15' | '$19'): string => `upserted AS (
  INSERT INTO rows (partition, generation, key, value, content_type, revision, version,
                    created_at, modified_at, expires_at, requests, request_floor)
  SELECT changed.* FROM fence,
    unnest($4::smallint[], $5::bigint[], $6::bytea[], ${values}::bytea[], $7::bytea[], $8::bigint[], $9::bigint[],
           $10::bigint[], $11::bigint[], $12::bigint[], $13::bytea[], $14::bigint[]) AS changed
  ON CONFLICT (partition, generation, key) DO UPDATE SET
    value = excluded.value, content_type = excluded.content_type, revision = excluded.revision,
    version = excluded.version, created_at = excluded.created_at, modified_at = excluded.modified_at,
    expires_at = excluded.expires_at, requests = excluded.requests, request_floor = excluded.request_floor)`;
const REMOVED = `removed AS (
  DELETE FROM rows USING fence,
    unnest($15::smallint[], $16::bigint[], $17::bytea[], $18::bigint[]) AS gone (partition, generation, key, revision)
  WHERE rows.partition = gone.partition AND rows.generation = gone.generation AND rows.key = gone.key
    AND (gone.revision IS NULL OR rows.revision = gone.revision))`;
const FENCE_HELD = 'SELECT count(*) FROM fence';

const RECORDS_ONLY: Statement = { name: 'commit_records', text: `${FENCED}, ${LOGGED} ${FENCE_HELD}` };
const ROWS: Statement = {
  name: 'commit_rows',
  text: `${FENCED}, ${LOGGED}, ${upserted('$15')} ${FENCE_HELD}`,
};
const ROWS_AND_REMOVALS: Statement = {
  name: 'commit_rows_and_removals',
  text: `${FENCED}, ${LOGGED}, ${upserted('$19')}, ${REMOVED} ${FENCE_HELD}`,
};

const KEY_BYTES_EXPECTED = 40;
const REQUESTS_BYTES_EXPECTED = 64;
const CONTENT_TYPE_BYTES_EXPECTED = 28;
/** Values are written into the same memory again and again: a fresh megabyte for each costs more than its copy. */
const VALUES_BYTES_KEPT_MAX = 4 * 1024 * 1024;

export interface PreparedTransaction {
  readonly statement: Statement;
  readonly values: Parameter[];
  /** Of the appended entry: how fast the record log grows. */
  readonly recordBytes: number;
}

export class RowWriter {
  private readonly writer = new ByteWriter();
  private valuesMemory = Buffer.alloc(0);

  constructor(private readonly incarnation: Incarnation) {}

  /** The parameters hold until the next call: one transaction at a time. */
  prepare(transaction: StorageTransaction, logId: number): PreparedTransaction {
    const records = encodeRecords(this.writer, transaction.records);
    const { removals } = transaction;
    const values: Parameter[] = [this.incarnation, logId, records];
    let statement = RECORDS_ONLY;
    if (transaction.upserts.length > 0 || removals.length > 0) {
      const columns = this.columnsOf(notRemovedAfterwards(transaction));
      statement = removals.length === 0 ? ROWS : ROWS_AND_REMOVALS;
      values.push(...columns.parameters());
      if (removals.length > 0) values.push(...removalParameters(removals));
      values.push(columns.values());
    }
    return { statement, values, recordBytes: records.length };
  }

  private columnsOf(upserts: readonly RowUpsert[]): UpsertColumns {
    const columns = new UpsertColumns(upserts.length, this.memoryForValues(upserts));
    for (const upsert of upserts) columns.append(upsert, this.writer);
    return columns;
  }

  private memoryForValues(upserts: readonly RowUpsert[]): Buffer {
    const bytes = upserts.reduce((sum, { row }) => sum + (row.value?.length ?? 0), 0);
    const needed = arrayParameterBytes(upserts.length, bytes);
    if (needed > VALUES_BYTES_KEPT_MAX) return Buffer.allocUnsafeSlow(needed);
    if (needed > this.valuesMemory.length) this.valuesMemory = Buffer.allocUnsafeSlow(roundedUp(needed));
    return this.valuesMemory;
  }
}

class UpsertColumns {
  private readonly partition: ArrayParameter;
  private readonly generation: ArrayParameter;
  private readonly key: ArrayParameter;
  private readonly value: ArrayParameter;
  private readonly contentType: ArrayParameter;
  private readonly revision: ArrayParameter;
  private readonly version: ArrayParameter;
  private readonly createdAt: ArrayParameter;
  private readonly modifiedAt: ArrayParameter;
  private readonly expiresAt: ArrayParameter;
  private readonly requests: ArrayParameter;
  private readonly requestFloor: ArrayParameter;

  constructor(count: number, memoryForValues: Buffer) {
    const bigints = (): ArrayParameter => new ArrayParameter('bigint', count * 12);
    this.partition = new ArrayParameter('smallint', count * 6);
    this.generation = bigints();
    this.key = new ArrayParameter('bytea', count * KEY_BYTES_EXPECTED);
    this.value = new ArrayParameter('bytea', memoryForValues);
    this.contentType = new ArrayParameter('bytea', count * CONTENT_TYPE_BYTES_EXPECTED);
    this.revision = bigints();
    this.version = bigints();
    this.createdAt = bigints();
    this.modifiedAt = bigints();
    this.expiresAt = bigints();
    this.requests = new ArrayParameter('bytea', count * REQUESTS_BYTES_EXPECTED);
    this.requestFloor = bigints();
  }

  append({ partition, generation, row }: RowUpsert, writer: ByteWriter): void {
    this.partition.smallint(partition);
    this.generation.bigint(generation);
    this.key.utf8(row.key);
    if (row.value === null) this.value.null();
    else this.value.bytes(row.value);
    this.contentType.utf8(row.contentType);
    this.revision.bigint(row.revision);
    this.version.bigint(row.version);
    this.createdAt.bigint(row.createdAt);
    this.modifiedAt.bigint(row.modifiedAt);
    if (row.expiresAt === null) this.expiresAt.null();
    else this.expiresAt.bigint(row.expiresAt);
    requestMarksCodec.write(writer, row.requests);
    this.requests.bytes(writer.take());
    this.requestFloor.bigint(row.requestFloor);
  }

  values(): Buffer {
    return this.value.finish();
  }

  /** All but the values. */
  parameters(): Buffer[] {
    return [
      this.partition,
      this.generation,
      this.key,
      this.contentType,
      this.revision,
      this.version,
      this.createdAt,
      this.modifiedAt,
      this.expiresAt,
      this.requests,
      this.requestFloor,
    ].map((column) => column.finish());
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
