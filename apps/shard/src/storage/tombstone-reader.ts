/**
 * Looks for tombstones, so many rows at a time along the primary key of one partition: no index has them, and none is worth
 * its cost with every write. Whole values are not read: they are out of line, or passed over with their row.
 */
import type { StorageReadResult, TombstoneRead } from '@ringleader/paxos';
import type { HotConnection, Statement } from '@ringleader/postgres';
import { keyFromHex, ROW_METADATA, rowFromText } from './row-columns.js';

type TombstoneResult = Extract<StorageReadResult, { readonly kind: 'tombstones' }>;

/** Tombstones, and the row that was one too many. */
const TOMBSTONES: Statement = {
  name: 'tombstones',
  text: `SELECT place > $4, key, NULL, ${ROW_METADATA}
    FROM (
      SELECT *, row_number() OVER (ORDER BY key) AS place
      FROM (
        SELECT key, value IS NULL AS gone, ${ROW_METADATA} FROM rows
        WHERE partition = $1 AND generation = $2 AND key >= $3
        ORDER BY key
        LIMIT $4 + 1
      ) AS looked_at
    ) AS placed
    WHERE gone OR place > $4
    ORDER BY key`,
};

export async function readTombstones(
  connection: HotConnection,
  { id, partition, generation, start, limitRows }: TombstoneRead,
): Promise<TombstoneResult> {
  const found = await connection.run(TOMBSTONES, [
    partition,
    generation,
    Buffer.from(start, 'utf8'),
    limitRows,
  ]);
  const last = found.at(-1);
  const isMore = last?.[0] === 't';
  return {
    kind: 'tombstones',
    id,
    rows: (isMore ? found.slice(0, -1) : found).map((columns) => rowFromText(columns, 1)),
    nextKey: isMore ? keyFromHex(last[1]!) : null,
  };
}
