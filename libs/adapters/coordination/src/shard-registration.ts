/**
 * A shard's place in the cluster: an ordinal that is given once and never again, and the incarnation that is raised,
 * durably, in the database and at the coordinator, before the first promise of each start (docs/PROTOCOL.md 4.10).
 */
import {
  OperationalError,
  SHARD_ORDINALS_KEY,
  shardKey,
  shardPlaceKey,
  shardPlaceSchema,
  shardSchema,
} from '@ringleader/contracts';
import type { ShardRegistration, ShardState } from '@ringleader/contracts';
import type { Incarnation, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { Coordinator, CoordinatorRequest } from './coordination-client.js';
import { parseMetadata } from './metadata.js';
import { admitDatabase } from './shard-admission.js';
import type { AdmissionVerdict, DatabaseIdentity } from './shard-admission.js';
import { partitionsInNeedOf } from './shard-need.js';

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
  | Exclude<AdmissionVerdict, { kind: 'admitted' | 'admittedAsNew' }>
  /** It cannot come back as a new shard: these partitions would have no majority without the former ordinal. */
  | {
      readonly kind: 'needed';
      readonly former: ShardOrdinal;
      readonly partitions: readonly PartitionIndex[];
    }
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
  const verdict = admitDatabase(input, await contextOf(client, present));
  if (verdict.kind !== 'admitted' && verdict.kind !== 'admittedAsNew') return verdict;
  const former = verdict.kind === 'admittedAsNew' ? verdict.former : null;
  const incarnation = input.databaseIncarnation + 1;
  await input.raiseDatabaseIncarnation(input.databaseIncarnation, incarnation);
  for (;;) {
    const outcome = await tryToRegister(client, present, input, { incarnation, former });
    if (outcome !== null) return outcome;
    present = await readPresent(client, input.shardId);
  }
}

interface Attempt {
  readonly incarnation: Incarnation;
  /** The ordinal that it comes back from, as a new shard; null where it is the registered one. */
  readonly former: ShardOrdinal | null;
}

/** Null when somebody was faster, or when it is not known what became of it. */
async function tryToRegister(
  client: Coordinator,
  present: Present,
  input: ShardRegistrationInput,
  attempt: Attempt,
): Promise<ShardRegistrationOutcome | null> {
  const earlier = outcomeOf(present.shard, input, attempt);
  if (earlier !== null) return earlier;
  const { incarnation, former } = attempt;
  if (former !== null) {
    // Read after the ordinals, on which the write is conditional: no other shard comes back in between.
    const partitions = await partitionsInNeedOf(client, former);
    if (partitions.length > 0) return { kind: 'needed', former, partitions };
  }
  const kept = former === null ? present.shard?.ordinal : undefined;
  const ordinal = kept ?? present.lastOrdinal + 1;
  if (ordinal > ORDINAL_MAX) return { kind: 'ordinalsExhausted' };
  const registration = toRegistration(input, ordinal, incarnation);
  const given = kept === undefined ? ordinal : null;
  const isWritten = await writeRegistration(client, present, registration, given);
  return isWritten ? { kind: 'registered', ordinal, incarnation } : null;
}

/** What an attempt that was not confirmed, or another process, left behind; null when it is our turn to write. */
function outcomeOf(
  shard: ShardRegistration | null,
  input: ShardRegistrationInput,
  { incarnation, former }: Attempt,
): ShardRegistrationOutcome | null {
  // Numbers of the database that is set aside say nothing about this one.
  if (shard === null || shard.ordinal === former) return null;
  const isSameDatabase = shard.systemIdentifier === input.systemIdentifier;
  // Only one process can have raised this database to this number, so the number says whose registration it is.
  if (isSameDatabase && shard.incarnation === incarnation) {
    return { kind: 'registered', ordinal: shard.ordinal, incarnation };
  }
  if (isSameDatabase && shard.incarnation < incarnation) return null;
  return { kind: 'superseded', incarnation: shard.incarnation };
}

export interface RegisteredLife {
  readonly shardId: string;
  readonly ordinal: ShardOrdinal;
  readonly incarnation: Incarnation;
}

/**
 * Remembers how far the shard's database has come, so that an older copy of it is found out at its start. Report only a
 * position that is flushed. False when a later incarnation is registered, or none.
 */
export function reportWalPosition(
  client: Coordinator,
  life: RegisteredLife,
  walPosition: string,
): Promise<boolean> {
  return changeRegistration(client, life, (shard) => ({ ...shard, walPosition }));
}

/** "This life goes on", to another process of the same name. False as above. */
export function answerChallenge(client: Coordinator, life: RegisteredLife): Promise<boolean> {
  return changeRegistration(client, life, ({ challengedBy: _, ...shard }) => shard);
}

export const isOfLife = (shard: ShardRegistration | null, life: RegisteredLife): boolean =>
  shard !== null && shard.ordinal === life.ordinal && shard.incarnation === life.incarnation;

async function changeRegistration(
  client: Coordinator,
  life: RegisteredLife,
  change: (shard: ShardRegistration) => ShardRegistration,
): Promise<boolean> {
  for (;;) {
    const present = await readPresent(client, life.shardId);
    const { shard } = present;
    if (shard === null || !isOfLife(shard, life)) return false;
    if (await replaceRegistration(client, present, change(shard))) return true;
  }
}

/** Whether it was still the one that was read. */
async function replaceRegistration(
  client: Coordinator,
  { shardModRevision }: Present,
  shard: ShardRegistration,
): Promise<boolean> {
  const key = shardKey(shard.shardId);
  const { succeeded } = await client.txn({
    compare: [{ key, target: 'modRevision', result: 'equal', operand: shardModRevision }],
    success: [{ kind: 'put', key, value: JSON.stringify(shard) }],
    failure: [],
  });
  return succeeded;
}

/**
 * Asks whoever runs on the registered database to say so: `still` is whether the registration is as it was after the wait,
 * so that nobody does. False at once when `former` is not registered any more.
 */
export async function challengeRegistration(
  client: Coordinator,
  { shardId, former }: { readonly shardId: string; readonly former: ShardOrdinal },
  challenger: string,
  wait: () => Promise<void>,
): Promise<'silent' | 'answered'> {
  for (;;) {
    const present = await readPresent(client, shardId);
    if (present.shard?.ordinal !== former) return 'answered';
    if (present.shard.challengedBy === challenger) break;
    if (await replaceRegistration(client, present, { ...present.shard, challengedBy: challenger })) break;
  }
  await wait();
  const { shard } = await readPresent(client, shardId);
  return shard?.ordinal === former && shard.challengedBy === challenger ? 'silent' : 'answered';
}

export type SetAsideAnnouncement =
  | { readonly kind: 'announced' }
  /** These partitions would have no majority without the former ordinal. */
  | { readonly kind: 'needed'; readonly partitions: readonly PartitionIndex[] }
  /** The former ordinal is not the registered one any more. */
  | { readonly kind: 'superseded' };

/**
 * To be said before what the database holds is set aside: from then on no other shard counts on this one, so that of several
 * that would do so at once only those do without which every partition has its majority.
 */
export async function announceSetAside(
  client: Coordinator,
  { shardId, former }: { readonly shardId: string; readonly former: ShardOrdinal },
): Promise<SetAsideAnnouncement> {
  for (;;) {
    const present = await readPresent(client, shardId);
    const { shard, lastOrdinal } = present;
    if (shard?.ordinal !== former) return { kind: 'superseded' };
    // Read after the ordinals, which the write touches and is conditional on: no other shard says the same in between.
    const partitions = await partitionsInNeedOf(client, former);
    if (partitions.length > 0) return { kind: 'needed', partitions };
    if (await writeRegistration(client, present, { ...shard, setsAside: true }, lastOrdinal))
      return { kind: 'announced' };
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
  const [shard, ordinals] = results.map((result) => (result.kind === 'range' ? result.items[0] : undefined));
  return {
    shard: shard === undefined ? null : parseMetadata(shardSchema, shard),
    shardModRevision: shard?.modRevision ?? 0,
    lastOrdinal: ordinals === undefined ? 0 : Number(ordinals.value),
    ordinalsModRevision: ordinals?.modRevision ?? 0,
  };
}

async function contextOf(client: Coordinator, { shard, lastOrdinal }: Present) {
  return {
    registered: shard,
    lastOrdinal,
    state: shard === null ? null : await readState(client, shard.ordinal),
  };
}

/** Null while nothing was placed on it. */
async function readState(client: Coordinator, ordinal: ShardOrdinal): Promise<ShardState | null> {
  const { items } = await client.range({ key: shardPlaceKey(ordinal) });
  return items[0] === undefined ? null : parseMetadata(shardPlaceSchema, items[0]).state;
}

/**
 * False when somebody was faster, or when it is not known: reading again tells. `lastOrdinal`: null where the ordinals stay
 * untouched, so that what others do on the condition of them goes on.
 */
async function writeRegistration(
  client: Coordinator,
  present: Present,
  registration: ShardRegistration,
  lastOrdinal: ShardOrdinal | null,
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
  if (lastOrdinal !== null) {
    request.success.push({ kind: 'put', key: SHARD_ORDINALS_KEY, value: String(lastOrdinal) });
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
