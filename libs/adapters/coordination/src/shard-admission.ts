/**
 * Whether a database may serve as the shard it says it is: docs/PROTOCOL.md 4.10, "Lost databases". Pure: what is
 * registered and what the database says come in, a verdict comes out.
 *
 * At each start the counter in the database is raised first, then the registered one. A crash in between leaves the
 * database ahead, which is harmless: nothing was promised under the number that is only in the database, and a database
 * that had forgotten something was not raised. A database *behind* has forgotten, always: the other order would make a
 * crash look like that.
 */
import type { ShardRegistration, ShardState } from '@ringleader/contracts';
import type { Incarnation, ShardOrdinal } from '@ringleader/primitives';

/** What the shard reads in its database at start. */
export interface DatabaseIdentity {
  /** 0 in a new database. */
  readonly databaseIncarnation: Incarnation;
  /** The ordinal that the shard stored after it was registered, and before it served; null if it never was. */
  readonly databaseOrdinal: ShardOrdinal | null;
  /** Ordinals whose tables were set aside in this database: it can never serve as one of them. */
  readonly setAside: readonly ShardOrdinal[];
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** As PostgreSQL prints it: `16/B374D848`. */
  readonly walPosition: string;
}

export interface AdmissionContext {
  readonly registered: ShardRegistration | null;
  /** The last that was given to any shard. */
  readonly lastOrdinal: ShardOrdinal;
  /** Of the registered ordinal; null while nothing was placed on it. */
  readonly state: ShardState | null;
}

export type AdmissionVerdict =
  | { readonly kind: 'admitted' }
  /** What it held is set aside: it registers under a new ordinal in place of the former one. */
  | { readonly kind: 'admittedAsNew'; readonly former: ShardOrdinal }
  /** What this shard had acknowledged is not in the database, or is in another one: set aside what is there. */
  | { readonly kind: 'databaseForgot'; readonly former: ShardOrdinal; readonly detail: string }
  /** It was down for so long that others took its place: as above. */
  | { readonly kind: 'replaced'; readonly former: ShardOrdinal; readonly detail: string }
  /** An operator removed the shard. */
  | { readonly kind: 'removed'; readonly ordinal: ShardOrdinal }
  /** The database served another cluster, or coordinators that knew more. */
  | { readonly kind: 'foreignDatabase'; readonly detail: string };

export function admitDatabase(database: DatabaseIdentity, context: AdmissionContext): AdmissionVerdict {
  const { registered } = context;
  if (registered === null) return admitUnregistered(database, context);
  const { databaseOrdinal, setAside } = database;
  const { ordinal: former } = registered;
  if (databaseOrdinal === null && setAside.includes(former)) return { kind: 'admittedAsNew', former };
  if (databaseOrdinal !== null && databaseOrdinal > former) {
    const detail = `the database belongs to ordinal ${databaseOrdinal}, the shard has ordinal ${former}`;
    return { kind: 'foreignDatabase', detail };
  }
  if (context.state === 'replaced') {
    return { kind: 'replaced', former, detail: 'it was down for too long, and others took its place' };
  }
  const detail = whatWasForgotten(database, registered);
  return detail === null ? { kind: 'admitted' } : { kind: 'databaseForgot', former, detail };
}

function admitUnregistered(
  { databaseOrdinal }: DatabaseIdentity,
  { lastOrdinal }: AdmissionContext,
): AdmissionVerdict {
  if (databaseOrdinal === null) return { kind: 'admitted' };
  if (databaseOrdinal <= lastOrdinal) return { kind: 'removed', ordinal: databaseOrdinal };
  const detail = `the database belongs to ordinal ${databaseOrdinal}, but this cluster does not know the shard`;
  return { kind: 'foreignDatabase', detail };
}

/** Null when nothing was. */
function whatWasForgotten(database: DatabaseIdentity, registered: ShardRegistration): string | null {
  const { databaseOrdinal, databaseIncarnation, systemIdentifier, timeline } = database;
  if (database.setAside.includes(registered.ordinal)) {
    return `tables of ordinal ${registered.ordinal} were set aside in it`;
  }
  if (databaseOrdinal !== null && databaseOrdinal < registered.ordinal) {
    return `it belongs to ordinal ${databaseOrdinal}, and ${registered.ordinal} is registered since`;
  }
  if (databaseIncarnation < registered.incarnation) {
    return `its incarnation is ${databaseIncarnation}, ${registered.incarnation} is registered`;
  }
  if (systemIdentifier !== registered.systemIdentifier) {
    return `its system identifier is ${systemIdentifier}, ${registered.systemIdentifier} is registered`;
  }
  if (timeline !== registered.timeline) {
    return `its timeline is ${timeline}, ${registered.timeline} is registered`;
  }
  return walForgotten(database.walPosition, registered.walPosition);
}

function walForgotten(present: string, registered: string): string | null {
  const presentPosition = parseWalPosition(present);
  const registeredPosition = parseWalPosition(registered);
  if (presentPosition === null || registeredPosition === null) {
    return `its write-ahead log position ${present} cannot be compared with ${registered}`;
  }
  if (presentPosition >= registeredPosition) return null;
  return `its write-ahead log ends at ${present}, before the reported ${registered}`;
}

const WAL_POSITION = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/** PostgreSQL prints a position in its write-ahead log as two hexadecimal halves of 32 bits: `16/B374D848`. */
function parseWalPosition(text: string): bigint | null {
  const [, high, low] = WAL_POSITION.exec(text) ?? [];
  if (high === undefined || low === undefined) return null;
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
