/**
 * Reads for repairs and copies: one partition, one generation, in key order. They run on the writer's connection, where
 * nothing can come between two statements that are handed over together: so several statements read one state. What may
 * pass more rows than it gives back runs in a snapshot of its own (`PassReader`).
 */
import {
  ROW_OVERHEAD_BYTES,
  type DeltaRead,
  type DigestRead,
  type PageRead,
  type Row,
  type StorageReadResult,
} from '@ringleader/paxos';
import type { HotConnection, Statement, TextRow } from '@ringleader/postgres';
import { addressParameters } from './point-reader.js';
import { keyFromHex, ROW_METADATA, rowFromText } from './row-columns.js';

type ResultOf<K extends StorageReadResult['kind']> = Extract<StorageReadResult, { readonly kind: K }>;

/**
 * Rows past a revision in key order from a key on, among so many as one step looks at; the last row of a result is the first
 * one that it did not look at, without a mark. The others are `inside` while those before them are below the limit of bytes.
 * Rows that are not come without their value, as a sign that there are more.
 */
function rowsPast(name: string, value: string, valueBytes: string): Statement {
  return {
    name,
    text: `SELECT CASE WHEN looked_at THEN inside END, key, CASE WHEN looked_at AND inside THEN ${value} END, ${ROW_METADATA}
      FROM (
        SELECT *, coalesce(bytes_before, 0) < $6::bigint AS inside
        FROM (
          SELECT *, sum(octet_length(key) + ${valueBytes} + ${ROW_OVERHEAD_BYTES})
              OVER (ORDER BY key ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
          FROM (
            SELECT * FROM (
              SELECT *, row_number() OVER (ORDER BY key) <= $7 AS looked_at
              FROM (
                SELECT * FROM rows
                WHERE partition = $1 AND generation = $2 AND key >= $3
                ORDER BY key
                LIMIT $7::bigint + 1
              ) AS next
            ) AS passed
            WHERE revision > $4 OR NOT looked_at
            ORDER BY key
            LIMIT $5
          ) AS ranged
        ) AS measured
      ) AS bounded
      ORDER BY key`,
  };
}

const ROWS_PAST = rowsPast('rows_past', 'value', 'coalesce(octet_length(value), 0)');
const KEYS_PAST = rowsPast('keys_past', "CASE WHEN value IS NOT NULL THEN ''::bytea END", '0');

const NAMED_ROWS: Statement = {
  name: 'named_rows',
  text: `SELECT inside, place, key, CASE WHEN inside THEN value END, ${ROW_METADATA}
    FROM (
      SELECT rows.*, asked.place,
        coalesce(sum(octet_length(value)) OVER (ORDER BY asked.place), 0) <= $4::bigint AS inside
      FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
        WITH ORDINALITY AS asked (partition, generation, key, place)
      JOIN rows ON rows.partition = asked.partition AND rows.generation = asked.generation AND rows.key = asked.key
    ) AS named`,
};

/** In an unmistakable form: each length before its bytes. Of what is stored, whatever it is: nothing is decoded. */
const ROW_FORM = `int4send(octet_length(key)) || key || int4send(octet_length(content_type)) || content_type
  || int4send(coalesce(octet_length(value), -1)) || coalesce(value, ''::bytea)
  || int8send(revision) || int8send(version) || int8send(created_at) || int8send(modified_at)
  || int8send(coalesce(expires_at, -1)) || int8send(request_floor) || requests`;

/** As `rowsPast`, of a range, whatever the revision. */
const DIGESTS: Statement = {
  name: 'row_digests',
  text: `SELECT inside, key, revision, value IS NOT NULL, bytes,
      CASE WHEN inside THEN encode(substr(sha256(${ROW_FORM}), 1, 16), 'hex') END
    FROM (
      SELECT *, place = 1 OR bytes_before < $6::bigint AS inside
      FROM (
        SELECT *, row_number() OVER (ORDER BY key) AS place,
          sum(bytes) OVER (ORDER BY key ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
        FROM (
          SELECT *, octet_length(key) + coalesce(octet_length(value), 0) + ${ROW_OVERHEAD_BYTES} AS bytes FROM rows
          WHERE partition = $1 AND generation = $2 AND key >= $3 AND key < $4
          ORDER BY key
          LIMIT $5
        ) AS ranged
      ) AS measured
    ) AS bounded
    ORDER BY key`,
};
/** No UTF-8 contains the byte 0xff: greater than every key. */
const BEYOND_ALL_KEYS = Buffer.of(0xff);

const isInside = (columns: TextRow): boolean => columns[0] === 't';

export type RangePast = Omit<PageRead, 'kind' | 'id'>;

/** How many rows a statement looks at, and what the next one is to do after one that took so long. */
export interface StepSize {
  readonly rows: number;
  took(ms: number): void;
}

export interface RowsPast {
  readonly rows: readonly Row[];
  /** The first row that is not among them, null at the end. */
  readonly nextKey: string | null;
}

/** Rows are inside while those before them are below the limits; the first one is always, so that whoever pages makes progress. */
export async function findRowsPast(
  connection: HotConnection,
  range: RangePast,
  step: StepSize,
): Promise<RowsPast> {
  const { partition, generation, base, limitRows } = range;
  const statement = range.keysOnly ? KEYS_PAST : ROWS_PAST;
  const rows: Row[] = [];
  let start: Buffer = Buffer.from(range.start, 'utf8');
  let bytesLeft = Math.max(1, range.limitBytes);
  for (;;) {
    const limits = [limitRows - rows.length + 1, bytesLeft, step.rows];
    const startedAt = performance.now();
    const found = await connection.run(statement, [partition, generation, start, base, ...limits]);
    step.took(performance.now() - startedAt);
    const beyond = found.find((columns, index) => index + rows.length === limitRows || !isInside(columns));
    for (const columns of found) {
      if (columns === beyond) break;
      const row = rowFromText(columns, 1);
      bytesLeft = Math.max(0, bytesLeft - bytesOf(row));
      rows.push(row);
    }
    if (beyond === undefined) return { rows, nextKey: null };
    if (wasLookedAt(beyond)) return { rows, nextKey: keyFromHex(beyond[1]!) };
    start = Buffer.from(beyond[1]!.slice(2), 'hex');
  }
}

const wasLookedAt = (columns: TextRow): boolean => columns[0] !== null;
const bytesOf = ({ key, value }: Row): number =>
  Buffer.byteLength(key) + (value?.length ?? 0) + ROW_OVERHEAD_BYTES;

/** For ranges of which each row counts: one step is all. */
function atOnce(limitRows: number): StepSize {
  return { rows: limitRows + 1, took: () => undefined };
}

export async function readPage(
  connection: HotConnection,
  { kind, id, ...range }: PageRead,
  step = atOnce(range.limitRows),
): Promise<ResultOf<'page'>> {
  return { kind, id, ...(await findRowsPast(connection, range, step)) };
}

export async function readDelta(
  connection: HotConnection,
  read: DeltaRead,
  step = atOnce(read.limitRows),
): Promise<ResultOf<'delta'>> {
  const { kind, id, partition, generation, base, limitRows, limitBytes } = read;
  const range = { partition, generation, base, start: '', keysOnly: false, limitRows, limitBytes };
  const addresses = read.keys.map((key) => ({ partition, generation, key }));
  const [past, named] = await Promise.all([
    isAnythingPast(base) ? findRowsPast(connection, range, step) : { rows: [], nextKey: null },
    connection.run(NAMED_ROWS, [...addressParameters(addresses), limitBytes]),
  ]);
  const tooLarge = past.nextKey !== null || !named.every(isInside);
  if (tooLarge) return { kind, id, rows: [], named: [], tooLarge };
  const rowsByPlace = new Array<Row | null>(read.keys.length).fill(null);
  for (const columns of named) rowsByPlace[Number(columns[1]) - 1] = rowFromText(columns, 2);
  return { kind, id, rows: past.rows, named: rowsByPlace, tooLarge };
}

/** Nothing is past the greatest revision. */
const isAnythingPast = (base: number): boolean => base < Number.MAX_SAFE_INTEGER;

export async function readDigests(connection: HotConnection, read: DigestRead): Promise<ResultOf<'digests'>> {
  const { id, partition, generation, wantsRows, limitRows, limitBytes } = read;
  const start = Buffer.from(read.start, 'utf8');
  const end = read.end === null ? BEYOND_ALL_KEYS : Buffer.from(read.end, 'utf8');
  const range = [partition, generation, start, end, limitRows + 1, limitBytes];
  const everyRevision = [partition, generation, start, Number.MIN_SAFE_INTEGER, limitRows];
  const limits = [Math.max(1, limitBytes), limitRows];
  const [found, rows] = await Promise.all([
    connection.run(DIGESTS, range),
    wantsRows ? connection.run(ROWS_PAST, [...everyRevision, ...limits]) : [],
  ]);
  const firstBeyond = found.findIndex((columns, index) => index === limitRows || !isInside(columns));
  const inside = firstBeyond === -1 ? found : found.slice(0, firstBeyond);
  const digests = inside.map(([, key, revision, live, , digest]) => ({
    key: keyFromHex(key!),
    revision: revisionOf(revision!),
    live: live === 't',
    digest: digest!,
  }));
  const keys = new Set(inside.map(([, key]) => key));
  return {
    ...{ kind: 'digests', id, digests },
    rows: rows.filter(([, key]) => keys.has(key)).map((columns) => rowFromText(columns, 1)),
    nextKey: firstBeyond === -1 ? null : keyFromHex(found[firstBeyond]![1]!),
    bytes: inside.reduce((sum, columns) => sum + Number(columns[4]), 0),
  };
}

/** Whatever a hand wrote there, as a number that travels: the digest is of what it is. */
function revisionOf(text: string): number {
  return Math.min(Math.max(0, Number(text)), Number.MAX_SAFE_INTEGER);
}
