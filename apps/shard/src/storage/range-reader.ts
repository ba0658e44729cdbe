/**
 * Reads for repairs and copies: one partition, one generation, in key order. They run on the writer's connection, where
 * nothing can come between two statements that are handed over together: so several statements read one state.
 */
import {
  ROW_OVERHEAD_BYTES,
  type DeltaRead,
  type PageRead,
  type Row,
  type StorageReadResult,
} from '@ringleader/paxos';
import type { HotConnection, Statement, TextRow } from '@ringleader/postgres';
import { addressParameters } from './point-reader.js';
import { keyFromHex, ROW_METADATA, rowFromText } from './row-columns.js';

type ResultOf<K extends StorageReadResult['kind']> = Extract<StorageReadResult, { readonly kind: K }>;

/**
 * Rows past a revision in key order from a key on. A row is `inside` while those before it are below the limit of bytes;
 * the first one is always, so that whoever pages makes progress. Rows that are not come without their value, as a sign
 * that there are more.
 */
function rowsPast(name: string, value: string, valueBytes: string): Statement {
  return {
    name,
    text: `SELECT inside, key, CASE WHEN inside THEN ${value} END, ${ROW_METADATA}
      FROM (
        SELECT *, place = 1 OR bytes_before < $6::bigint AS inside
        FROM (
          SELECT *, row_number() OVER (ORDER BY key) AS place,
            sum(octet_length(key) + ${valueBytes} + ${ROW_OVERHEAD_BYTES})
              OVER (ORDER BY key ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
          FROM (
            SELECT * FROM rows
            WHERE partition = $1 AND generation = $2 AND key >= $3 AND revision > $4
            ORDER BY key
            LIMIT $5
          ) AS ranged
        ) AS measured
      ) AS bounded
      ORDER BY key`,
  };
}

export const ROWS_PAST = rowsPast('rows_past', 'value', 'coalesce(octet_length(value), 0)');
export const KEYS_PAST = rowsPast('keys_past', "CASE WHEN value IS NOT NULL THEN ''::bytea END", '0');

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

const isInside = (columns: TextRow): boolean => columns[0] === 't';

export async function readPage(connection: HotConnection, read: PageRead): Promise<ResultOf<'page'>> {
  const statement = read.keysOnly ? KEYS_PAST : ROWS_PAST;
  const found = await connection.run(statement, [
    read.partition,
    read.generation,
    Buffer.from(read.start, 'utf8'),
    read.base,
    read.limitRows + 1,
    read.limitBytes,
  ]);
  const firstBeyond = found.findIndex((columns, index) => index === read.limitRows || !isInside(columns));
  const inside = firstBeyond === -1 ? found : found.slice(0, firstBeyond);
  return {
    kind: 'page',
    id: read.id,
    rows: inside.map((columns) => rowFromText(columns, 1)),
    nextKey: firstBeyond === -1 ? null : keyFromHex(found[firstBeyond]![1]!),
  };
}

export async function readDelta(connection: HotConnection, read: DeltaRead): Promise<ResultOf<'delta'>> {
  const { partition, generation } = read;
  const addresses = read.keys.map((key) => ({ partition, generation, key }));
  const [past, named] = await Promise.all([
    connection.run(ROWS_PAST, [
      partition,
      generation,
      Buffer.alloc(0),
      read.base,
      read.limitRows + 1,
      read.limitBytes,
    ]),
    connection.run(NAMED_ROWS, [...addressParameters(addresses), read.limitBytes]),
  ]);
  const tooLarge = past.length > read.limitRows || !past.every(isInside) || !named.every(isInside);
  if (tooLarge) return { kind: 'delta', id: read.id, rows: [], named: [], tooLarge };
  const rowsByPlace = new Array<Row | null>(read.keys.length).fill(null);
  for (const columns of named) rowsByPlace[Number(columns[1]) - 1] = rowFromText(columns, 2);
  return {
    kind: 'delta',
    id: read.id,
    rows: past.map((columns) => rowFromText(columns, 1)),
    named: rowsByPlace,
    tooLarge,
  };
}
