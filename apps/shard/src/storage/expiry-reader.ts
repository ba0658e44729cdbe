/**
 * Looks for rows that expire, so many rows at a time along the primary key of one partition: an index of them would cost
 * something with every renewal, and keep those from being updated in place.
 */
import type { ExpiryRead, StorageReadResult } from '@ringleader/paxos';
import type { HotConnection, Statement } from '@ringleader/postgres';
import { keyFromHex } from './row-columns.js';

type ExpiryResult = Extract<StorageReadResult, { readonly kind: 'expiries' }>;

/** Rows that expire, and the row that was one too many. */
const EXPIRIES: Statement = {
  name: 'expiries',
  text: `SELECT place > $4, key, expires_at
    FROM (
      SELECT *, row_number() OVER (ORDER BY key) AS place
      FROM (
        SELECT key, expires_at FROM rows
        WHERE partition = $1 AND generation = $2 AND key >= $3
        ORDER BY key
        LIMIT $4 + 1
      ) AS looked_at
    ) AS placed
    WHERE expires_at IS NOT NULL OR place > $4
    ORDER BY key`,
};

export async function readExpiries(
  connection: HotConnection,
  { id, partition, generation, start, limitRows }: ExpiryRead,
): Promise<ExpiryResult> {
  const found = await connection.run(EXPIRIES, [
    partition,
    generation,
    Buffer.from(start, 'utf8'),
    limitRows,
  ]);
  const last = found.at(-1);
  const isMore = last?.[0] === 't';
  return {
    kind: 'expiries',
    id,
    rows: (isMore ? found.slice(0, -1) : found).map(([, key, expiresAt]) => ({
      key: keyFromHex(key!),
      expiresAt: Number(expiresAt),
    })),
    nextKey: isMore ? keyFromHex(last[1]!) : null,
  };
}
