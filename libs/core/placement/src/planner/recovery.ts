/**
 * What is left of partitions that lost a majority for good goes on, because a person says so (docs/PROTOCOL.md 6.8). No rule
 * of the protocol allows it: what only those had who are lost is lost with them.
 */
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import { raisingEpoch } from './changes.js';
import {
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

/** Of one transaction. */
const PARTITIONS_MAX = 256;

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
  /** Whether more is left than one transaction takes. */
  readonly hasMore: boolean;
}

/** `lost`: names of shards that are down and never come back; whoever was replaced by a new one under its name is lost already. */
export function decideRecovery(
  state: ClusterState,
  lost: readonly string[],
  nowMs: number,
  ifEpoch?: number,
): Recovery | Refusal {
  const control = controlAt(state, ifEpoch);
  if ('kind' in control) return control;
  const named = new Map<string, Place>();
  for (const shardId of lost) {
    const place = placeNamed(state, shardId);
    if (place === null) return noShard(state, shardId);
    const refused = whyNotLost(state, place);
    if (refused !== null) return refused;
    named.set(shardId, place);
  }
  const places = [...named.values()]
    .filter((place) => place.state !== 'replaced')
    .map((place): Place => ({ ...place, state: 'replaced', sinceMs: nowMs }));
  const without: ClusterState = {
    ...state,
    places: new Map([...state.places, ...places.map((place) => [place.ordinal, place] as const)]),
  };
  const all = state.map.filter((entry) => hasLostPresent(without, entry));
  if (all.length === 0) {
    const detail =
      'Every partition has a majority of its replicas on shards that are not lost: they come back with those shards, or are replaced';
    return refusal('NOTHING_TO_RECOVER', detail, { shards: [...lost] });
  }
  const entries: MapEntry[] = [];
  const partitions: RecoveredPartition[] = [];
  for (const entry of all.slice(0, PARTITIONS_MAX)) {
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
  const movesEnded = entries.map(({ partition }) => partition).filter((one) => state.moves.has(one));
  return {
    kind: 'changes',
    changes: raisingEpoch(state, control, { places, entries, movesEnded, asSeen: [...named.keys()] }),
    epoch: control.epoch + 1,
    partitions,
    hasMore: all.length > entries.length,
  };
}

const sorted = (ordinals: readonly ShardOrdinal[]): ShardOrdinal[] => [...ordinals].sort((a, b) => a - b);

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
    lost: sorted(membersOf(entry).filter((ordinal) => !isLeft(ordinal))),
  };
}

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
