/**
 * Whether a database may serve as the shard it says it is: docs/PROTOCOL.md 4.10, "Lost databases". Pure: what is
 * registered and what the database says come in, a verdict comes out.
 *
 * At each start the counter in the database is raised first, then the registered one. A crash in between leaves the
 * database ahead, which is harmless: nothing was promised under the number that is only in the database, and a database
 * that had forgotten something was refused before it was raised. A database *behind* has forgotten, always: the other
 * order would make a crash look like that.
 */
import type { ShardRegistration } from '@ringleader/contracts';
import type { Incarnation, ShardOrdinal } from '@ringleader/primitives';

/** What the shard reads in its database at start. */
export interface DatabaseIdentity {
  /** 0 in a new database. */
  readonly databaseIncarnation: Incarnation;
  /** The ordinal that the shard stored after it was registered; null if it never was. */
  readonly databaseOrdinal: ShardOrdinal | null;
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** As PostgreSQL prints it: `16/B374D848`. */
  readonly walPosition: string;
}

export type AdmissionVerdict =
  | { readonly kind: 'admitted' }
  /** The database lacks something that this shard had acknowledged: it comes back under a new shard id. */
  | { readonly kind: 'databaseForgot'; readonly detail: string }
  /** The database served another shard or another cluster. */
  | { readonly kind: 'foreignDatabase'; readonly detail: string };

export function admitDatabase(
  database: DatabaseIdentity,
  registered: ShardRegistration | null,
): AdmissionVerdict {
  if (registered === null) return admitNew(database);
  const { databaseOrdinal, databaseIncarnation } = database;
  if (databaseOrdinal !== null && databaseOrdinal !== registered.ordinal) {
    return {
      kind: 'foreignDatabase',
      detail: `the database belongs to ordinal ${databaseOrdinal}, the shard has ordinal ${registered.ordinal}`,
    };
  }
  if (databaseIncarnation < registered.incarnation) {
    return forgot(`its incarnation is ${databaseIncarnation}, ${registered.incarnation} is registered`);
  }
  if (database.systemIdentifier !== registered.systemIdentifier) {
    return forgot(
      `its system identifier is ${database.systemIdentifier}, ${registered.systemIdentifier} is registered`,
    );
  }
  if (database.timeline !== registered.timeline) {
    return forgot(`its timeline is ${database.timeline}, ${registered.timeline} is registered`);
  }
  return admitWalPosition(database.walPosition, registered.walPosition);
}

function admitNew({ databaseOrdinal }: DatabaseIdentity): AdmissionVerdict {
  if (databaseOrdinal === null) return { kind: 'admitted' };
  const detail = `the database belongs to ordinal ${databaseOrdinal}, but this cluster does not know the shard`;
  return { kind: 'foreignDatabase', detail };
}

function admitWalPosition(present: string, registered: string): AdmissionVerdict {
  const presentPosition = parseWalPosition(present);
  const registeredPosition = parseWalPosition(registered);
  if (presentPosition === null || registeredPosition === null) {
    return forgot(`its write-ahead log position ${present} cannot be compared with ${registered}`);
  }
  if (presentPosition >= registeredPosition) return { kind: 'admitted' };
  return forgot(`its write-ahead log ends at ${present}, before the reported ${registered}`);
}

const forgot = (detail: string): AdmissionVerdict => ({ kind: 'databaseForgot', detail });

const WAL_POSITION = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/** PostgreSQL prints a position in its write-ahead log as two hexadecimal halves of 32 bits: `16/B374D848`. */
function parseWalPosition(text: string): bigint | null {
  const [, high, low] = WAL_POSITION.exec(text) ?? [];
  if (high === undefined || low === undefined) return null;
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
