/**
 * One writer per database: a lock of the writer's session, which PostgreSQL takes away only when that session is gone,
 * with whatever statement it was running. So when a new incarnation has the lock, no transaction of an earlier one can
 * still commit behind its back, whatever became of the process that sent it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { OperationalError } from '@ringleader/contracts';
import type { HotConnection, Statement } from '@ringleader/postgres';
import type { Incarnation } from '@ringleader/primitives';

/** Any constant of our own: advisory locks have numbers for names. */
const LOCK_NUMBER = 1_380_535_372;

const TRY_LOCK: Statement = {
  name: 'try_writer_lock',
  text: `SELECT pg_try_advisory_lock(${LOCK_NUMBER})`,
};
const END_HOLDER: Statement = {
  name: 'end_lock_holder',
  text: `SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND classid = 0 AND objid = ${LOCK_NUMBER}
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
};

export interface WriterLockTimings {
  /** A session whose client has died ends by itself, soon; one that does not is ended. */
  readonly patienceMs: number;
  readonly giveUpMs: number;
  readonly retryMs: number;
}

export const WRITER_LOCK_TIMINGS: WriterLockTimings = { patienceMs: 2_000, giveUpMs: 10_000, retryMs: 50 };

/** `beforeEnding` may throw: then the other session is left alone. */
export async function lockWriter(
  connection: HotConnection,
  beforeEnding: () => Promise<void>,
  timings: WriterLockTimings = WRITER_LOCK_TIMINGS,
): Promise<void> {
  const tries = Math.ceil(timings.giveUpMs / timings.retryMs);
  const triesWithPatience = Math.ceil(timings.patienceMs / timings.retryMs);
  for (let attempt = 1; attempt <= tries; attempt++) {
    const [row] = await connection.run(TRY_LOCK, []);
    if (row?.[0] === 't') return;
    if (attempt === triesWithPatience) {
      await beforeEnding();
      await connection.run(END_HOLDER, []);
    }
    await pause(timings.retryMs);
  }
  throw new OperationalError(
    'STORAGE_FAILED',
    'Another session holds the writer lock of the database and does not end',
    {
      reason: 'locked',
    },
  );
}

const INCARNATION: Statement = { name: 'incarnation', text: 'SELECT incarnation FROM shard_identity' };

/** Two processes of one shard would take the database from each other for ever: the first one gives way. */
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
