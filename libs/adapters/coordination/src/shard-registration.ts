/**
 * A shard's place in the cluster: an ordinal that is given once and never again, and the incarnation that is raised,
 * durably, in the database and at the coordinator, before the first promise of each start (docs/PROTOCOL.md 4.10).
 */
import { OperationalError, SHARD_ORDINALS_KEY, shardKey, shardSchema } from '@ringleader/contracts';
import type { KeyValue, ShardRegistration } from '@ringleader/contracts';
import type { Incarnation, ShardOrdinal } from '@ringleader/primitives';
import type { Coordinator, CoordinatorRequest } from './coordination-client.js';
import { parseMetadata } from './metadata.js';
import { admitDatabase } from './shard-admission.js';
import type { AdmissionVerdict, DatabaseIdentity } from './shard-admission.js';

export interface ShardRegistrationInput extends DatabaseIdentity {
  readonly shardId: string;
  readonly zone: string;
  readonly weight: number;
  /**
   * Raises the counter in the database from `from` to `to`, durably, in one conditional statement; throws if the counter
   * is not `from`. From then on the database refuses every transaction of an earlier incarnation.
   */
  readonly raiseDatabaseIncarnation: (from: Incarnation, to: Incarnation) => Promise<void>;
}

export type ShardRegistrationOutcome =
  | { readonly kind: 'registered'; readonly ordinal: ShardOrdinal; readonly incarnation: Incarnation }
  | Exclude<AdmissionVerdict, { kind: 'admitted' }>
  /** Another process of the same shard started after this one. */
  | { readonly kind: 'superseded'; readonly incarnation: Incarnation }
  | { readonly kind: 'ordinalsExhausted' };

const ORDINAL_MAX = 65_535;

interface Present {
  /** Null if this shard is not registered. */
  readonly shard: ShardRegistration | null;
  readonly shardModRevision: number;
  readonly lastOrdinal: ShardOrdinal;
  readonly ordinalsModRevision: number;
}

/**
 * Checks the database against what is registered, raises it, then registers. Throws OperationalError when the coordinator
 * cannot be reached; calling again is safe, with what the database then says.
 */
export async function registerShard(
  client: Coordinator,
  input: ShardRegistrationInput,
): Promise<ShardRegistrationOutcome> {
  let present = await readPresent(client, input.shardId);
  const verdict = admitDatabase(input, present.shard);
  if (verdict.kind !== 'admitted') return verdict;
  const incarnation = input.databaseIncarnation + 1;
  await input.raiseDatabaseIncarnation(input.databaseIncarnation, incarnation);
  for (;;) {
    const earlier = outcomeOf(present.shard, input, incarnation);
    if (earlier !== null) return earlier;
    const ordinal = present.shard?.ordinal ?? present.lastOrdinal + 1;
    if (ordinal > ORDINAL_MAX) return { kind: 'ordinalsExhausted' };
    if (await writeRegistration(client, present, toRegistration(input, ordinal, incarnation))) {
      return { kind: 'registered', ordinal, incarnation };
    }
    present = await readPresent(client, input.shardId);
  }
}

/** What an attempt that was not confirmed, or another process, left behind; null when it is our turn to write. */
function outcomeOf(
  shard: ShardRegistration | null,
  input: ShardRegistrationInput,
  incarnation: Incarnation,
): ShardRegistrationOutcome | null {
  if (shard === null) return null;
  const isSameDatabase = shard.systemIdentifier === input.systemIdentifier;
  // Only one process can have raised this database to this number, so the number says whose registration it is.
  if (isSameDatabase && shard.incarnation === incarnation) {
    return { kind: 'registered', ordinal: shard.ordinal, incarnation };
  }
  if (isSameDatabase && shard.incarnation < incarnation) return null;
  return { kind: 'superseded', incarnation: shard.incarnation };
}

export interface WalReport {
  readonly shardId: string;
  readonly incarnation: Incarnation;
  readonly walPosition: string;
}

/**
 * Remembers how far the shard's database has come, so that an older copy of it is found out at its start. Report only a
 * position that is flushed. False when a later incarnation is registered, or none.
 */
export async function reportWalPosition(client: Coordinator, report: WalReport): Promise<boolean> {
  for (;;) {
    const { shard, shardModRevision } = await readPresent(client, report.shardId);
    if (shard === null || shard.incarnation !== report.incarnation) return false;
    const value = JSON.stringify({ ...shard, walPosition: report.walPosition } satisfies ShardRegistration);
    const key = shardKey(report.shardId);
    const { succeeded } = await client.txn({
      compare: [{ key, target: 'modRevision', result: 'equal', operand: shardModRevision }],
      success: [{ kind: 'put', key, value }],
      failure: [],
    });
    if (succeeded) return true;
  }
}

async function readPresent(client: Coordinator, shardId: string): Promise<Present> {
  const { results } = await client.txn({
    compare: [],
    success: [
      { kind: 'range', key: shardKey(shardId) },
      { kind: 'range', key: SHARD_ORDINALS_KEY },
    ],
    failure: [],
  });
  const [shard, ordinals] = results.map((result): KeyValue | undefined =>
    result.kind === 'range' ? result.items[0] : undefined,
  );
  return {
    shard: shard === undefined ? null : parseMetadata(shardSchema, shard),
    shardModRevision: shard?.modRevision ?? 0,
    lastOrdinal: ordinals === undefined ? 0 : Number(ordinals.value),
    ordinalsModRevision: ordinals?.modRevision ?? 0,
  };
}

/** False when somebody was faster, or when it is not known: reading again tells. */
async function writeRegistration(
  client: Coordinator,
  present: Present,
  registration: ShardRegistration,
): Promise<boolean> {
  const key = shardKey(registration.shardId);
  const request: CoordinatorRequest<'txn'> = {
    compare: [
      { key, target: 'modRevision', result: 'equal', operand: present.shardModRevision },
      {
        key: SHARD_ORDINALS_KEY,
        target: 'modRevision',
        result: 'equal',
        operand: present.ordinalsModRevision,
      },
    ],
    success: [{ kind: 'put', key, value: JSON.stringify(registration) }],
    failure: [],
  };
  if (present.shard === null) {
    request.success.push({ kind: 'put', key: SHARD_ORDINALS_KEY, value: String(registration.ordinal) });
  }
  try {
    return (await client.txn(request)).succeeded;
  } catch (error) {
    if (error instanceof OperationalError && error.code === 'OUTCOME_UNKNOWN') return false;
    throw error;
  }
}

function toRegistration(
  input: ShardRegistrationInput,
  ordinal: ShardOrdinal,
  incarnation: Incarnation,
): ShardRegistration {
  const { shardId, zone, weight, systemIdentifier, timeline, walPosition } = input;
  return { shardId, ordinal, zone, weight, incarnation, systemIdentifier, timeline, walPosition };
}
