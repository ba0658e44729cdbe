/**
 * The coordinators' store as one linearizable thing (Raft has a simulation of its own): what placement keeps there, and
 * what shards register. A transaction is done as a whole, or not at all where a condition does not hold any more.
 */
import {
  applyChanges,
  type Changes,
  type ClusterState,
  type PresentShard,
  type ShardVerdict,
} from '@ringleader/placement';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { BrokenShape } from './settings.js';

/** How a database says at each start which one it is (docs/PROTOCOL.md 4.10). */
export interface DatabaseFacts {
  readonly shardId: string;
  readonly zone: string;
  readonly weight: number;
  readonly ordinal: ShardOrdinal;
  readonly incarnation: number;
  /** Another one after each restoration. */
  readonly timeline: number;
}

export type Registration =
  | { readonly kind: 'registered' }
  /** This ordinal never serves again: an empty database, and this one. */
  | { readonly kind: 'anew'; readonly ordinal: ShardOrdinal }
  | { readonly kind: 'removed' };

export type BrokenStore = Pick<BrokenShape, 'trustsDatabase' | 'unconditional'>;

export type Observe = (before: ClusterState, after: ClusterState, changes: Changes) => void;

export class CoordinatorStore {
  #state: ClusterState;
  #ordinals: number;
  readonly #databases = new Map<string, Pick<DatabaseFacts, 'incarnation' | 'timeline'>>();
  readonly #removed = new Set<ShardOrdinal>();
  readonly #observe: Observe;
  readonly #broken: BrokenStore;

  constructor(first: ClusterState, observe: Observe, broken: BrokenStore) {
    this.#state = first;
    this.#ordinals = first.registrations.size;
    this.#observe = observe;
    this.#broken = broken;
  }

  get state(): ClusterState {
    return this.#state;
  }

  /** Given once and never again. */
  giveOrdinal(): ShardOrdinal {
    this.#ordinals += 1;
    return this.#ordinals;
  }

  commit(changes: Changes): boolean {
    const before = this.#state;
    const base = this.#broken.unconditional === true ? asDecidedOn(before, changes) : before;
    const after = applyChanges(base, changes);
    if (after === null) return false;
    this.#state = after;
    if (changes.removed !== null) this.#removed.add(changes.removed.ordinal);
    this.#observe(before, after, changes);
    return true;
  }

  register(facts: DatabaseFacts): Registration {
    const { shardId, zone, weight, ordinal } = facts;
    const registered = this.#state.registrations.get(shardId);
    if (registered === undefined && this.#removed.has(ordinal)) return { kind: 'removed' };
    if (registered !== undefined && registered.ordinal !== ordinal && registered.ordinal > ordinal) {
      // An answer that was lost: it has its new ordinal already.
      return { kind: 'anew', ordinal: registered.ordinal };
    }
    const isReplaced = this.#state.places.get(ordinal)?.state === 'replaced';
    if (isReplaced || (this.#forgot(facts) && this.#broken.trustsDatabase !== true)) {
      const anew = this.giveOrdinal();
      this.#databases.delete(shardId);
      this.#put({ shardId, zone, weight, ordinal: anew });
      return { kind: 'anew', ordinal: anew };
    }
    this.#put({ shardId, zone, weight, ordinal });
    this.#databases.set(shardId, { incarnation: facts.incarnation, timeline: facts.timeline });
    return { kind: 'registered' };
  }

  setPresent(shardId: string, present: PresentShard | null): void {
    const all = new Map(this.#state.present);
    if (present === null) all.delete(shardId);
    else all.set(shardId, present);
    this.#state = { ...this.#state, present: all };
  }

  setVerdict(shardId: string, verdict: ShardVerdict): void {
    if (!this.#state.registrations.has(shardId)) return;
    this.#state = { ...this.#state, verdicts: new Map(this.#state.verdicts).set(shardId, verdict) };
  }

  #forgot({ shardId, incarnation, timeline }: DatabaseFacts): boolean {
    const known = this.#databases.get(shardId);
    return known !== undefined && (incarnation < known.incarnation || timeline !== known.timeline);
  }

  #put(registration: Omit<DatabaseFacts, 'incarnation' | 'timeline'>): void {
    const registrations = new Map(this.#state.registrations);
    const { shardId, ordinal, zone, weight } = registration;
    registrations.set(shardId, { shardId, ordinal, zone, weight });
    this.#state = { ...this.#state, registrations };
  }
}

/** As if every condition held. */
function asDecidedOn(state: ClusterState, { ifControlEpoch, entries }: Changes): ClusterState {
  const { control } = state;
  const map = [...state.map];
  for (const { partition, epoch } of entries) {
    const entry = map[partition];
    if (entry !== undefined) map[partition] = { ...entry, epoch: epoch - 1 };
  }
  if (control === null || ifControlEpoch === null) return state;
  return { ...state, map, control: { ...control, epoch: ifControlEpoch } };
}
