/** What an operator asks of placement: the transaction that does it, or why it is not done. */
import { type Changes, raisingEpoch } from './changes.js';
import { type ClusterState, type Control, type Limits, type Place, membersOf } from './cluster-state.js';
import { othersUp } from './places.js';

export type Command =
  | { readonly kind: 'drain' | 'undrain' | 'remove'; readonly shard: string }
  | { readonly kind: 'weight'; readonly shard: string; readonly weight: number }
  /** `by`: a pause of the operator of Kubernetes, which gives way to a person's; or the end of that one only. */
  | { readonly kind: 'pause' | 'resume'; readonly by?: 'operator' | undefined }
  | { readonly kind: 'cancel'; readonly partition?: number | undefined }
  | {
      readonly kind: 'limits';
      readonly limits: { readonly [Name in keyof Limits]?: Limits[Name] | undefined };
    };

/** What each refusal may tell besides its sentence. No refusal with another field compiles. */
export const REFUSAL_FIELDS = {
  UNAVAILABLE: [],
  PRECONDITION_FAILED: ['epoch'],
  SHARD_NOT_FOUND: ['shard', 'shards'],
  SHARD_HOLDS_DATA: ['shard', 'replicas', 'state'],
  REPLICATION_AT_RISK: ['shard', 'shards', 'replicationFactor', 'partition'],
  ALREADY_SO: ['shard', 'state'],
  NOTHING_TO_CANCEL: ['partition'],
  NOTHING_TO_RECOVER: ['shards'],
  SHARD_NOT_DOWN: ['shard'],
} as const;

export type RefusalCode = keyof typeof REFUSAL_FIELDS;
type RefusalDetail = string | number | readonly string[];
type RefusalDetails<Code extends RefusalCode> = {
  readonly [Field in (typeof REFUSAL_FIELDS)[Code][number]]?: RefusalDetail;
};

export interface Refusal {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  /** A sentence, for people. */
  readonly detail: string;
  readonly details: Readonly<Record<string, RefusalDetail | undefined>>;
}

export interface Change {
  readonly kind: 'changes';
  readonly changes: Changes;
  /** Of the plan, when it is done. */
  readonly epoch: number;
}

export type CommandDecision = Change | Refusal;

/** With `ifEpoch` only while the plan has this epoch. */
export function decideCommand(
  state: ClusterState,
  command: Command,
  nowMs: number,
  ifEpoch?: number,
): CommandDecision {
  const control = controlAt(state, ifEpoch);
  if ('kind' in control) return control;
  const decided = decide({ state, control, nowMs }, command);
  if ('kind' in decided) return decided;
  const changes = raisingEpoch(state, decided.control ?? control, decided);
  return { kind: 'changes', changes, epoch: control.epoch + 1 };
}

/** What a command goes by. */
export function controlAt({ control }: ClusterState, ifEpoch?: number): Control | Refusal {
  if (control === null)
    return refusal('UNAVAILABLE', 'The first partition map is not made yet: there is nothing to place');
  if (ifEpoch === undefined || ifEpoch === control.epoch) return control;
  const { epoch } = control;
  return refusal('PRECONDITION_FAILED', `The plan has epoch ${epoch} by now`, { epoch });
}

interface Context {
  readonly state: ClusterState;
  readonly control: Control;
  readonly nowMs: number;
}

type Decided = Partial<Changes> | Refusal;

function decide(context: Context, command: Command): Decided {
  switch (command.kind) {
    case 'pause':
    case 'resume':
      return pauseOrResume(context, command.kind === 'pause', command.by);
    case 'cancel':
      return cancel(context, command.partition);
    case 'limits':
      return limit(context, command.limits);
    default: {
      const place = placeNamed(context.state, command.shard);
      if (place === null) return noShard(context.state, command.shard);
      return decideOnShard(context, command, place);
    }
  }
}

function decideOnShard(
  context: Context,
  command: Extract<Command, { readonly shard: string }>,
  place: Place,
): Decided {
  switch (command.kind) {
    case 'drain':
      return drain(context, place);
    case 'undrain':
      return undrain(context, place);
    case 'remove':
      return remove(context, place);
    case 'weight':
      return weigh(place, command.weight);
  }
}

/** Of the shard that the name stands for at present; of the last one, where nobody is registered by it any more. */
export function placeNamed({ places, registrations }: ClusterState, shardId: string): Place | null {
  const ordinal = registrations.get(shardId)?.ordinal;
  const current = ordinal === undefined ? undefined : places.get(ordinal);
  if (current !== undefined) return current;
  const named = [...places.values()].filter((place) => place.shardId === shardId);
  return named.sort((a, b) => b.ordinal - a.ordinal)[0] ?? null;
}

export function noShard({ places }: ClusterState, shard: string): Refusal {
  const shards = [...new Set([...places.values()].map(({ shardId }) => shardId))].sort();
  return refusal('SHARD_NOT_FOUND', `There is no shard ${shard}`, { shard, shards });
}

const asItIs = ({ shardId, state }: Place): { shard: string; state: string } => ({ shard: shardId, state });

function drain({ state, nowMs }: Context, place: Place): Decided {
  const { shardId } = place;
  if (place.state === 'replaced')
    return refusal(
      'ALREADY_SO',
      `${shardId} was given up: its partitions are moved away already`,
      asItIs(place),
    );
  if (place.state === 'draining' || place.state === 'drained')
    return refusal('ALREADY_SO', `${shardId} is ${place.state} already`, asItIs(place));
  return whyTooFew(state, place) ?? { places: [{ ...place, state: 'draining', sinceMs: nowMs }] };
}

function undrain({ state, nowMs }: Context, place: Place): Decided {
  const { shardId } = place;
  if (place.state === 'replaced') {
    const detail = `${shardId} was given up, and never serves again as what it was: start it, and it joins as a new shard`;
    return refusal('SHARD_NOT_FOUND', detail, { shard: shardId });
  }
  if (place.state === 'joining' || place.state === 'active')
    return refusal('ALREADY_SO', `${shardId} is ${place.state}: it is not drained`, asItIs(place));
  const holdsSome = partitionsNaming(state, place) > 0;
  return { places: [{ ...place, state: holdsSome ? 'active' : 'joining', sinceMs: nowMs }] };
}

function remove({ state }: Context, place: Place): Decided {
  const refused = whyHeld(state, place, partitionsNaming(state, place));
  if (refused !== null) return refused;
  const registration = state.registrations.get(place.shardId);
  const removed = registration?.ordinal === place.ordinal ? registration : null;
  return { placesEnded: [place.ordinal], removed };
}

function isCountedOn({ state }: Place): boolean {
  return state === 'active' || state === 'joining';
}

function whyHeld(state: ClusterState, place: Place, partitions: number): Refusal | null {
  const { shardId } = place;
  if (partitions === 0) return isCountedOn(place) ? whyTooFew(state, place) : null;
  const held = `${shardId} holds replicas of ${partitions} partitions`;
  const detail =
    place.state === 'active' ? `${held}: drain it first` : `${held}, which are still being moved away`;
  return refusal('SHARD_HOLDS_DATA', detail, { ...asItIs(place), replicas: partitions });
}

function weigh(place: Place, weight: number): Decided {
  if (place.weightIsSet && place.weight === weight)
    return refusal('ALREADY_SO', `${place.shardId} has the weight ${weight} already`, asItIs(place));
  return { places: [{ ...place, weight, weightIsSet: true }] };
}

function pauseOrResume({ control }: Context, paused: boolean, by?: 'operator'): Decided {
  const { pausedBy, ...rest } = control;
  const isTakenOver = paused && by === undefined && pausedBy !== undefined;
  if (control.paused === paused && !isTakenOver)
    return refusal('ALREADY_SO', paused ? 'Placement is paused already' : 'Placement is not paused');
  if (!paused && by !== undefined && pausedBy !== by)
    return refusal('ALREADY_SO', 'A person has paused placement, and only people let it go on');
  return { control: { ...rest, paused, ...(paused && by !== undefined && { pausedBy: by }) } };
}

/** The executor takes them back at once, paused or not. */
function cancel({ state, control }: Context, partition: number | undefined): Decided {
  const moves = [...state.moves.values()]
    .filter((move) => partition === undefined || move.partition === partition)
    .filter(({ isAbandoned }) => !isAbandoned)
    .map((move) => ({ ...move, isAbandoned: true }));
  if (moves.length === 0) {
    return partition === undefined
      ? refusal(
          'NOTHING_TO_CANCEL',
          'No move is under way: pause keeps those that are planned from beginning',
        )
      : refusal('NOTHING_TO_CANCEL', `Partition ${partition} is not being moved`, { partition });
  }
  const { pausedBy: _, ...stopped } = control;
  return { moves, control: partition === undefined ? { ...stopped, paused: true } : control };
}

function limit({ control }: Context, changed: Extract<Command, { kind: 'limits' }>['limits']): Decided {
  const { movesMax, bytesPerSecondMax, replaceAfterMs } = control.limits;
  const limits = {
    movesMax: changed.movesMax ?? movesMax,
    bytesPerSecondMax: changed.bytesPerSecondMax ?? bytesPerSecondMax,
    replaceAfterMs: changed.replaceAfterMs ?? replaceAfterMs,
  };
  const isSame =
    limits.movesMax === movesMax &&
    limits.bytesPerSecondMax === bytesPerSecondMax &&
    limits.replaceAfterMs === replaceAfterMs;
  return isSame ? refusal('ALREADY_SO', 'The limits are so already') : { control: { ...control, limits } };
}

/** Whether too few shards would be left if this one held nothing any more. */
function whyTooFew(state: ClusterState, place: Place): Refusal | null {
  const left = othersUp(state, place.ordinal);
  if (left >= state.replicationFactor) return null;
  const detail =
    `Without ${place.shardId} ${left} shards would be left that are active and not down, ` +
    `and each partition needs ${state.replicationFactor}`;
  return refusal('REPLICATION_AT_RISK', detail, {
    shard: place.shardId,
    shards: left,
    replicationFactor: state.replicationFactor,
  });
}

/** In whichever role. */
function partitionsNaming({ map }: ClusterState, { ordinal }: Place): number {
  return map.filter((entry) => membersOf(entry).includes(ordinal)).length;
}

/** Null: `remove` would do it. So many partitions name it. */
export function whyNotRemovable(state: ClusterState, place: Place, partitions: number): string | null {
  return whyHeld(state, place, partitions)?.detail ?? null;
}

export function refusal<Code extends RefusalCode>(
  code: Code,
  detail: string,
  details: RefusalDetails<Code> = {},
): Refusal {
  return { kind: 'refused', code, detail, details };
}
