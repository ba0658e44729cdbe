/**
 * What is left of partitions that lost a majority for good goes on, because a person says so (docs/PROTOCOL.md 6.8). No rule
 * of the protocol allows it: what only those had who are lost is lost with them.
 */
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import { raisingEpoch } from './changes.js';
import {
  type AskedRecovery,
  type ClusterState,
  type MapEntry,
  type PastRecovery,
  type Place,
  eligiblePlaces,
  healthOf,
  membersOf,
} from './cluster-state.js';
import { type Change, type Refusal, controlAt, noShard, placeNamed, refusal } from './commands.js';
import { chooseLeader, setsOf } from './exchange.js';
import { hasLostPresent } from './planner.js';

/** In one transaction. */
const RECOVERED_AT_ONCE_MAX = 256;

export interface RecoveredPartition {
  readonly partition: PartitionIndex;
  /** Those that decided, and go on with what they have. */
  readonly kept: readonly ShardOrdinal[];
  /** Those that were copying it, and decide from now on, too: each has all of it, or nothing. Neither: it begins anew, empty. */
  readonly copying: readonly ShardOrdinal[];
  /** Of all these, those that are down, and are waited for. */
  readonly down: readonly ShardOrdinal[];
  /** Those that had replicas of it, and never come back. */
  readonly lost: readonly ShardOrdinal[];
}

export interface Recovery extends Change {
  readonly partitions: readonly RecoveredPartition[];
  /** Whether more is left than was decided. */
  readonly hasMore: boolean;
}

/** A repeat of what is done: nothing is left of it. */
export interface RecoveryDone {
  readonly kind: 'done';
  /** Of the plan. */
  readonly epoch: number;
}

export interface RecoveryRequest {
  /** Names of shards that are down and never come back; whoever was replaced by a new one under its name is lost already. */
  readonly lost: readonly string[];
  readonly nowMs: number;
  /** Only while the plan has this epoch, or what is left of what was begun when it had. */
  readonly ifEpoch?: number | undefined;
  /** Decided at once. */
  readonly partitionsMax?: number;
}

export function decideRecovery(
  state: ClusterState,
  request: RecoveryRequest,
): Recovery | RecoveryDone | Refusal {
  const begun = begunBy(state, request);
  const control = controlAt(state, begun === null ? request.ifEpoch : undefined);
  if ('kind' in control) return control;
  // Who was named is given up by then, and whoever has the name now need not be.
  const named = begun === null ? placesOf(state, request.lost) : new Map<string, Place>();
  if ('kind' in named) return named;
  const places = [...named.values()]
    .filter((place) => place.state !== 'replaced')
    .map((place): Place => ({ ...place, state: 'replaced', sinceMs: request.nowMs }));
  const without: ClusterState = {
    ...state,
    places: new Map([...state.places, ...places.map((place) => [place.ordinal, place] as const)]),
  };
  const all = toRecover(without, begun);
  if (all.length === 0)
    return begun === null ? nothingToRecover(request) : { kind: 'done', epoch: control.epoch };
  const decided = entriesOf(without, all.slice(0, request.partitionsMax ?? RECOVERED_AT_ONCE_MAX));
  if ('kind' in decided) return decided;
  const { entries, partitions } = decided;
  const movesEnded = entries.map(({ partition }) => partition).filter((one) => state.moves.has(one));
  const recovery = begun ?? askedBy(request, without, all) ?? control.recovery;
  const changes = { places, entries, movesEnded, asSeen: [...named.keys()] };
  return {
    kind: 'changes',
    changes: raisingEpoch(state, { ...control, recovery }, changes),
    epoch: control.epoch + 1,
    partitions,
    hasMore: all.length > entries.length,
  };
}

const sorted = (ordinals: readonly ShardOrdinal[]): ShardOrdinal[] => [...ordinals].sort((a, b) => a - b);

const inOrder = (names: readonly string[]): string[] => [...new Set(names)].sort();

/** By a request whose answer was lost, say, or one that was done in part. */
function begunBy({ control }: ClusterState, { lost, ifEpoch }: RecoveryRequest): AskedRecovery | null {
  const begun = control?.recovery;
  const isSame =
    begun !== undefined && begun.ifEpoch === ifEpoch && begun.named.join() === inOrder(lost).join();
  return isSame ? begun : null;
}

function askedBy(
  { lost, ifEpoch }: RecoveryRequest,
  without: ClusterState,
  all: readonly MapEntry[],
): AskedRecovery | undefined {
  if (ifEpoch === undefined) return undefined;
  const ordinals = new Set<ShardOrdinal>();
  for (const entry of all) for (const ordinal of goneOf(without, entry)) ordinals.add(ordinal);
  return { ifEpoch, named: inOrder(lost), lost: sorted([...ordinals]) };
}

/** What is lost after it began is another matter. */
function toRecover(without: ClusterState, begun: AskedRecovery | null): MapEntry[] {
  const all = without.map.filter((entry) => hasLostPresent(without, entry));
  if (begun === null) return all;
  return all.filter((entry) => goneOf(without, entry).every((ordinal) => begun.lost.includes(ordinal)));
}

function placesOf(state: ClusterState, lost: readonly string[]): Map<string, Place> | Refusal {
  const named = new Map<string, Place>();
  for (const shardId of lost) {
    const place = placeNamed(state, shardId);
    if (place === null) return noShard(state, shardId);
    const refused = whyNotLost(state, place);
    if (refused !== null) return refused;
    named.set(shardId, place);
  }
  return named;
}

function nothingToRecover({ lost }: RecoveryRequest): Refusal {
  const detail =
    'Every partition has a majority of its replicas on shards that are not lost: they come back with those shards, or are replaced';
  return refusal('NOTHING_TO_RECOVER', detail, { shards: [...lost] });
}

interface Decided {
  readonly entries: MapEntry[];
  readonly partitions: RecoveredPartition[];
}

function entriesOf(without: ClusterState, lost: readonly MapEntry[]): Decided | Refusal {
  const entries: MapEntry[] = [];
  const partitions: RecoveredPartition[] = [];
  for (const entry of lost) {
    const one = survivorsOf(without, entry);
    const left = [...one.kept, ...one.copying];
    const replicas = left.length > 0 ? left : placesForEmpty(without, entry);
    if (replicas.length === 0) {
      const detail = `Nobody has anything of partition ${entry.partition}, and no shard is active to begin it anew: add shards first`;
      return refusal('REPLICATION_AT_RISK', detail, { partition: entry.partition });
    }
    entries.push(recovered(without, entry, replicas, { kept: left, lost: one.lost }));
    partitions.push(one);
  }
  return { entries, partitions };
}

function whyNotLost(state: ClusterState, place: Place): Refusal | null {
  const health = healthOf(state, place.ordinal);
  if (health === 'gone') return null;
  const { shardId } = place;
  const process = state.present.get(shardId);
  const lease = process?.ordinal === place.ordinal ? process : null;
  if (health === 'down' && lease === null) return null;
  const stopFirst = 'stop it first, and wait until it is down';
  let detail = `${shardId} is ${health}: what is lost is down, and what it holds is not lost`;
  if (health === 'down') detail = `${shardId} holds its lease still: ${stopFirst}`;
  else if (lease?.isServing === false) detail = `${shardId} runs, and does not serve: ${stopFirst}`;
  return refusal('SHARD_NOT_DOWN', detail, { shard: shardId });
}

/** Also those that are down and may come back. Who copies it may have what nobody else has any more, but is not waited for. */
function survivorsOf(state: ClusterState, entry: MapEntry): RecoveredPartition {
  const isLeft = (ordinal: ShardOrdinal): boolean => healthOf(state, ordinal) !== 'gone';
  const kept = sorted([...new Set(setsOf(entry).flat())].filter(isLeft));
  return {
    partition: entry.partition,
    kept,
    down: kept.filter((ordinal) => healthOf(state, ordinal) === 'down'),
    copying: sorted(entry.learners.filter((ordinal) => healthOf(state, ordinal) === 'alive')),
    lost: sorted(goneOf(state, entry)),
  };
}

const goneOf = (state: ClusterState, entry: MapEntry): ShardOrdinal[] =>
  membersOf(entry).filter((ordinal) => healthOf(state, ordinal) === 'gone');

/** Where they should be the planner knows better, and empty partitions are moved at once. */
function placesForEmpty(state: ClusterState, { partition }: MapEntry): readonly ShardOrdinal[] {
  const up = eligiblePlaces(state)
    .map(({ ordinal }) => ordinal)
    .filter((ordinal) => healthOf(state, ordinal) === 'alive');
  const first = partition % Math.max(1, up.length);
  return [...up.slice(first), ...up.slice(0, first)].slice(0, state.replicationFactor);
}

function recovered(
  state: ClusterState,
  entry: MapEntry,
  replicas: readonly ShardOrdinal[],
  { kept, lost }: Pick<PastRecovery, 'kept' | 'lost'>,
): MapEntry {
  const epoch = entry.epoch + 1;
  const { times = 0, lost: before = [] } = entry.recovery ?? {};
  return {
    ...entry,
    epoch,
    replicas,
    nextReplicas: null,
    learners: [],
    preferredLeader: chooseLeader(state, [entry.preferredLeader], replicas),
    recovery: { times: times + 1, epoch, kept, lost: sorted([...new Set([...before, ...lost])]) },
  };
}
