/** Two processes of one shard would take the database from each other for ever: the first one gives way. */
import { OperationalError } from '@ringleader/contracts';
import type { Incarnation } from '@ringleader/primitives';
import type { HotConnection, Statement } from '@ringleader/postgres';

const INCARNATION: Statement = { name: 'incarnation', text: 'SELECT incarnation FROM shard_identity' };

export function superseded(shardId: string, incarnation: Incarnation): OperationalError {
  return new OperationalError(
    'SHARD_SUPERSEDED',
    `Another process of ${shardId} was started after this one, which ends: run one at a time`,
    { incarnation },
  );
}

/** `last` is the highest incarnation of this process; null before its first. */
export function refuseLater(shardId: string, incarnation: Incarnation, last: Incarnation | null): void {
  if (last !== null && incarnation > last) throw superseded(shardId, incarnation);
}

export async function refuseLaterInDatabase(
  connection: HotConnection,
  shardId: string,
  last: Incarnation | null,
): Promise<void> {
  // Before its first incarnation a process may end the session of any other; there may be no table yet.
  if (last === null) return;
  const [row] = await connection.run(INCARNATION, []);
  refuseLater(shardId, Number(row?.[0]), last);
}
