/**
 * Who takes part: the state of each ordinal, from registrations, leases and verdicts. All changes that are due are one
 * transaction, which raises the epoch of the plan.
 *
 * A cluster of the version before has a map and no places: whom the map names is `active`, and nothing moves.
 */
import type { ShardOrdinal } from '@ringleader/primitives';
import {
  type ClusterState,
  type Control,
  type Limits,
  type Place,
  type PlaceState,
  downSince,
  eligiblePlaces,
  healthOf,
  holders,
  membersOf,
  nameOf,
} from './cluster-state.js';
import { type Changes, raisingEpoch } from './changes.js';
import type { PlannerRules } from './rules.js';

export interface PlaceChange {
  readonly shardId: string;
  readonly ordinal: ShardOrdinal;
  readonly from: PlaceState | null;
  readonly to: PlaceState | null;
  readonly why: string;
}

export interface PlacesDecision {
  /** Null: all are as they should be. */
  readonly changes: Changes | null;
  /** What happened to whom, for people. */
  readonly notes: readonly PlaceChange[];
  /** Who should be given up and is not, and why. */
  readonly kept: readonly string[];
  /** When time alone changes something. */
  readonly wakeAtMs: number | null;
}

export interface PlacesContext {
  readonly state: ClusterState;
  readonly nowMs: number;
  readonly initialLimits: Limits;
  /** Since when this leader has looked: what the store says may be from before a stop of all. */
  readonly watchedSinceMs: number;
  /** By this leader's clock, as `nowMs` is: what `sinceMs` of a place says may be by another one's. */
  readonly replacedSince: ReadonlyMap<ShardOrdinal, number>;
  readonly rules: PlannerRules;
}

/** Until whoever is alive has been seen to be so. */
const WATCHED_FOR_MS = 30_000;

export function settlePlaces(context: PlacesContext): PlacesDecision {
  const { state, initialLimits } = context;
  if (state.map.length === 0) return { changes: null, notes: [], kept: [], wakeAtMs: null };
  const control = state.control ?? { epoch: 0, paused: false, limits: initialLimits };
  const edit = new PlacesEdit(context);
  edit.admit();
  edit.follow();
  edit.release();
  const { kept, wakeAtMs } = edit.giveUp(control);
  return { changes: edit.changes(control), notes: edit.notes, kept, wakeAtMs };
}

class PlacesEdit {
  readonly notes: PlaceChange[] = [];
  readonly #places: Map<ShardOrdinal, Place>;
  readonly #ended: ShardOrdinal[] = [];
  readonly #edited = new Set<ShardOrdinal>();
  /** Names of those that are given up now: not if they come back meanwhile. */
  readonly #givenUp: string[] = [];
  /** Found when first asked for: a look at the whole map. */
  #holders: ReadonlySet<ShardOrdinal> | null = null;

  constructor(private readonly context: PlacesContext) {
    this.#places = new Map(context.state.places);
  }

  changes(control: Control): Changes | null {
    const { state } = this.context;
    if (this.#edited.size === 0 && this.#ended.length === 0 && state.control !== null) return null;
    const places = [...this.#edited].flatMap((ordinal) => this.#places.get(ordinal) ?? []);
    return raisingEpoch(state, control, { places, placesEnded: this.#ended, asSeen: this.#givenUp });
  }

  /** Ordinals that were registered since the last look. */
  admit(): void {
    const { state, nowMs } = this.context;
    for (const { shardId, ordinal, zone, weight } of state.registrations.values()) {
      if (this.#places.has(ordinal)) continue;
      const isInMap = this.#holds(ordinal);
      this.#put(
        {
          ordinal,
          shardId,
          state: isInMap ? 'active' : 'joining',
          zone,
          weight,
          weightIsSet: false,
          sinceMs: nowMs,
        },
        isInMap ? 'the map places partitions on it' : 'it has registered',
      );
    }
  }

  /** What shards say of themselves: zone, weight, that they serve, that they have another ordinal now. */
  follow(): void {
    const { state } = this.context;
    for (const place of [...this.#places.values()]) {
      const registration = state.registrations.get(place.shardId);
      if (registration?.ordinal !== place.ordinal) {
        if (place.state === 'replaced') continue;
        const why =
          registration === undefined
            ? 'its registration is gone'
            : `${place.shardId} is registered as a new shard, with ordinal ${registration.ordinal}`;
        this.#turn(place, 'replaced', why);
        continue;
      }
      const weight = place.weightIsSet ? place.weight : registration.weight;
      if (place.zone !== registration.zone || place.weight !== weight)
        this.#put({ ...place, zone: registration.zone, weight });
      if (place.state === 'joining' && this.#serves(place)) this.#turn(place, 'active', 'it serves');
    }
  }

  /** Whom the map names no more. */
  release(): void {
    const { state } = this.context;
    for (const place of [...this.#places.values()]) {
      if (place.state === 'draining' && !this.#holds(place.ordinal))
        this.#turn(place, 'drained', 'it holds no partition any more');
      const isSuperseded = state.registrations.get(place.shardId)?.ordinal !== place.ordinal;
      if (place.state === 'replaced' && isSuperseded && !this.#holds(place.ordinal)) this.#end(place);
    }
  }

  /** Whoever has been down for too long, one at a time: that many are down at once is rather a fault of the network. */
  giveUp({ limits, paused }: Control): { kept: string[]; wakeAtMs: number | null } {
    const { state, nowMs, watchedSinceMs } = this.context;
    const kept: string[] = [];
    let wakeAtMs: number | null = null;
    if (paused) return { kept, wakeAtMs };
    const watchedAtMs = watchedSinceMs + Math.min(WATCHED_FOR_MS, limits.replaceAfterMs);
    const wakeAt = (atMs: number): void => {
      wakeAtMs = wakeAtMs === null ? atMs : Math.min(wakeAtMs, atMs);
    };
    for (const place of this.#downLongest()) {
      const dueAtMs = Math.max(downSince(state, place.ordinal)! + limits.replaceAfterMs, watchedAtMs);
      if (dueAtMs > nowMs) {
        wakeAt(dueAtMs);
        continue;
      }
      const nextAtMs = this.#lastGivenUpMs() + limits.replaceAfterMs;
      const refusal = this.#whyKept(place);
      if (refusal !== null) kept.push(refusal);
      else if (nextAtMs > nowMs) {
        kept.push(`${place.shardId} is down, too, and shards are given up one at a time`);
        wakeAt(nextAtMs);
      } else {
        this.#givenUp.push(place.shardId);
        this.#turn(place, 'replaced', `it has been down for more than ${limits.replaceAfterMs} ms`);
      }
    }
    return { kept, wakeAtMs };
  }

  #downLongest(): Place[] {
    const { state } = this.context;
    const since = ({ ordinal }: Place): number => downSince(state, ordinal)!;
    return (
      [...this.#places.values()]
        .filter((place) => place.state === 'active' || place.state === 'draining')
        .filter(({ ordinal }) => healthOf(state, ordinal) === 'down')
        // Whoever holds a lease and serves lives, whatever the verdict says. Who says that it serves nothing may lack its database.
        .filter((place) => !this.#isServing(place))
        .sort((a, b) => since(a) - since(b) || a.ordinal - b.ordinal)
    );
  }

  /**
   * To be given up means never to come back. Where a partition has no majority that is up without this one, that helps
   * nobody, and it may be the one that comes back.
   */
  #whyKept(place: Place): string | null {
    const { state, rules } = this.context;
    const needed = state.map.find((entry) => {
      return membersOf(entry).includes(place.ordinal) && !rules.survives(entry, (of) => this.#isUp(of));
    });
    if (needed !== undefined) {
      const down = membersOf(needed).filter((ordinal) => !this.#runs(ordinal));
      const idle = membersOf(needed).filter((ordinal) => this.#runs(ordinal) && !this.#isUp(ordinal));
      const beside = idle.length === 0 ? '' : ` (${this.#names(idle)} runs, and does not serve)`;
      const lost = down.map((ordinal) => `--lost ${nameOf(state, ordinal)}`).join(' ');
      return (
        `${place.shardId} is down and is not given up: without it partition ${needed.partition} has no majority that ` +
        `is up${beside}. If whoever is down never comes back: ringleader recover ${lost}`
      );
    }
    // Whoever is draining is not counted on anyway.
    if (place.state === 'draining') return null;
    const left = othersUp({ ...state, places: this.#places }, place.ordinal);
    if (rules.mayGiveUp(left, state.replicationFactor)) return null;
    return (
      `${place.shardId} has been down for too long, and its partitions get no replicas elsewhere: ${left} other ` +
      `shards are up, of ${state.replicationFactor} that are needed`
    );
  }

  #names(ordinals: readonly ShardOrdinal[]): string {
    return ordinals.map((ordinal) => nameOf(this.context.state, ordinal)).join(' and ');
  }

  /** It counts in a majority: whoever runs without its database, which may be lost, does not. */
  #isUp(ordinal: ShardOrdinal): boolean {
    const place = this.#places.get(ordinal);
    return place !== undefined && this.#runs(ordinal) && this.#isServing(place);
  }

  #runs(ordinal: ShardOrdinal): boolean {
    const health = healthOf({ ...this.context.state, places: this.#places }, ordinal);
    return health === 'alive' || health === 'suspect';
  }

  #lastGivenUpMs(): number {
    const { replacedSince, nowMs } = this.context;
    const times = [...this.#places.values()].flatMap(({ state, ordinal }) =>
      state === 'replaced' ? (replacedSince.get(ordinal) ?? nowMs) : [],
    );
    return Math.max(Number.NEGATIVE_INFINITY, ...times);
  }

  #serves(place: Place): boolean {
    return this.#isServing(place) && this.context.state.verdicts.get(place.shardId)?.verdict !== 'down';
  }

  #isServing({ shardId, ordinal }: Place): boolean {
    const lease = this.context.state.present.get(shardId);
    return lease?.ordinal === ordinal && lease.isServing;
  }

  #holds(ordinal: ShardOrdinal): boolean {
    this.#holders ??= holders(this.context.state.map);
    return this.#holders.has(ordinal);
  }

  #turn(place: Place, to: PlaceState, why: string): void {
    const current = this.#places.get(place.ordinal) ?? place;
    this.#put({ ...current, state: to, sinceMs: this.context.nowMs }, why);
  }

  #put(place: Place, why?: string): void {
    const from = this.#places.get(place.ordinal)?.state ?? null;
    this.#places.set(place.ordinal, place);
    this.#edited.add(place.ordinal);
    if (why !== undefined)
      this.notes.push({ shardId: place.shardId, ordinal: place.ordinal, from, to: place.state, why });
  }

  #end({ ordinal, shardId, state }: Place): void {
    this.#places.delete(ordinal);
    this.#edited.delete(ordinal);
    this.#ended.push(ordinal);
    this.notes.push({ shardId, ordinal, from: state, to: null, why: 'it holds no partition any more' });
  }
}

/** How many shards could hold replicas for good if this one did not, and are up. */
export function othersUp(state: ClusterState, ordinal: ShardOrdinal): number {
  return eligiblePlaces(state).filter(
    (place) => place.ordinal !== ordinal && healthOf(state, place.ordinal) !== 'down',
  ).length;
}
