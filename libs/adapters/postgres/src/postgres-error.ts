/** Translates what the driver throws. Nothing outside of the repositories ever sees a driver's error. */
import { OperationalError } from '@ringleader/contracts';
import { InvariantError } from '@ringleader/primitives';
import pg from 'pg';

export type PostgresFailure =
  /** The server could not be reached, or the connection broke: a statement under way may or may not have been done. */
  | 'connection'
  /** Nothing was done. */
  | 'diskFull'
  /** Nothing was done: the server starts, stops, or was told to end this session. */
  | 'stopping'
  | 'refused'
  /** A page or an index cannot be read, or a file or a table is gone, if only the one that says which tables there are. */
  | 'damaged'
  /** The disk gave an error, of that moment or of ever. */
  | 'unreadable'
  | 'other';

const FAILURES: readonly (readonly [RegExp, PostgresFailure])[] = [
  [/^53100$/, 'diskFull'],
  [/^57P0[1-5]$/, 'stopping'],
  [/^58030$/, 'unreadable'],
  [/^(XX00[12]|42P0[17]|58P01)$/, 'damaged'],
  [/^08/, 'connection'],
  [/^(28|3D|42501|53)/, 'refused'],
];

/** Classes of errors that only a wrong statement or a wrong parameter of ours can cause: data, constraint, syntax. */
const OUR_BUG = /^(22|23|42)/;

export function postgresFailureOf(error: unknown): PostgresFailure {
  const state = sqlStateOf(error);
  if (state === null) return 'connection';
  return FAILURES.find(([pattern]) => pattern.test(state))?.[1] ?? 'other';
}

/** A file that a session wants at its start may be a library that the server's settings name: nothing of ours. */
function connectFailureOf(error: unknown): PostgresFailure {
  return sqlStateOf(error) === '58P01' ? 'other' : postgresFailureOf(error);
}

/** An operational error, or an InvariantError where our own statement is at fault. */
export function translatePostgresError(error: unknown, action: string): Error {
  if (error instanceof OperationalError || error instanceof InvariantError) return error;
  const reason = action === 'connect' ? connectFailureOf(error) : postgresFailureOf(error);
  const sqlState = sqlStateOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (reason === 'other' && sqlState !== null && OUR_BUG.test(sqlState)) {
    return new InvariantError(`PostgreSQL does not accept our statement (${action}): ${sqlState} ${message}`);
  }
  const details = { action, reason, ...(sqlState !== null && { sqlState }) };
  return new OperationalError('STORAGE_FAILED', `PostgreSQL failed (${action}): ${message}`, details, {
    cause: error,
  });
}

function sqlStateOf(error: unknown): string | null {
  const cause = driverErrorOf(error);
  return cause instanceof pg.DatabaseError ? (cause.code ?? null) : null;
}

/** TypeORM wraps the driver's error. */
function driverErrorOf(error: unknown): unknown {
  if (typeof error === 'object' && error !== null && 'driverError' in error) return error.driverError;
  return error;
}
