/**
 * What is to be written, as data: one transaction of the coordinators' store. It holds only while the control record has
 * the epoch that it was decided on, so that no step crosses a command or a change of membership; and each entry of the
 * map only on the one before it. So whatever is done twice, or by a leader that is none any more, changes nothing.
 */
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { ClusterState, Control, MapEntry, MoveRecord, Place, RegisteredShard } from './cluster-state.js';

export interface Changes {
  /** Null: there is no control record yet. */
  readonly ifControlEpoch: number | null;
  /** Each takes the place of the one whose epoch is lower by one. */
  readonly entries: readonly MapEntry[];
  readonly moves: readonly MoveRecord[];
  readonly movesEnded: readonly PartitionIndex[];
  readonly places: readonly Place[];
  readonly placesEnded: readonly ShardOrdinal[];
  /** Registration and verdict are deleted, if the registration still names the ordinal. */
  readonly removed: RegisteredShard | null;
  /** Null: it stays. */
  readonly control: Control | null;
  /** Null: as it was. */
  readonly elapsed: ReadonlyMap<string, number> | null;
  /** Names of shards that must be as they were seen: their registrations, processes and verdicts. */
  readonly asSeen: readonly string[];
}

export const NO_CHANGES: Omit<Changes, 'ifControlEpoch'> = {
  entries: [],
  moves: [],
  movesEnded: [],
  places: [],
  placesEnded: [],
  removed: null,
  control: null,
  elapsed: null,
  asSeen: [],
};

export function changesOn(state: ClusterState, changes: Partial<Changes>): Changes {
  return { ...NO_CHANGES, ...changes, ifControlEpoch: state.control?.epoch ?? null };
}

/** Also raises the epoch of the plan: what every command and every change of a place does. */
export function raisingEpoch(state: ClusterState, control: Control, changes: Partial<Changes>): Changes {
  return changesOn(state, { ...changes, control: { ...control, epoch: control.epoch + 1 } });
}

/** The state after them; null where a condition does not hold any more, so that nothing is done. */
export function applyChanges(state: ClusterState, changes: Changes): ClusterState | null {
  const { ifControlEpoch, entries, removed, control } = changes;
  if ((state.control?.epoch ?? null) !== ifControlEpoch) return null;
  if (entries.some(({ partition, epoch }) => state.map[partition]?.epoch !== epoch - 1)) return null;
  if (removed !== null && state.registrations.get(removed.shardId)?.ordinal !== removed.ordinal) return null;
  const without = <Value>(map: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> => {
    if (removed === null) return map;
    return new Map([...map].filter(([name]) => name !== removed.shardId));
  };
  return {
    ...state,
    map: withEntries(state.map, entries),
    moves: edited(
      state.moves,
      changes.moves.map((move) => [move.partition, move]),
      changes.movesEnded,
    ),
    places: edited(
      state.places,
      changes.places.map((place) => [place.ordinal, place]),
      changes.placesEnded,
    ),
    control: control ?? state.control,
    registrations: without(state.registrations),
    verdicts: without(state.verdicts),
    elapsed: changes.elapsed ?? state.elapsed,
  };
}

function withEntries(map: readonly MapEntry[], entries: readonly MapEntry[]): readonly MapEntry[] {
  if (entries.length === 0) return map;
  const next = [...map];
  for (const entry of entries) next[entry.partition] = entry;
  return next;
}

function edited<Key, Value>(
  map: ReadonlyMap<Key, Value>,
  put: readonly (readonly [Key, Value])[],
  ended: readonly Key[],
): ReadonlyMap<Key, Value> {
  if (put.length === 0 && ended.length === 0) return map;
  const next = new Map([...map, ...put]);
  for (const key of ended) next.delete(key);
  return next;
}
