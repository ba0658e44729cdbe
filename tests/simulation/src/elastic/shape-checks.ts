/**
 * Judges every decision of the loop on what it was decided on, and every transaction on the state that it changed: sets of
 * replicas, records and places as docs/PROTOCOL.md 6 wants them, whoever decided.
 */
import type { Changes, ClusterState, Look, MapEntry, Step } from '@ringleader/placement';
import { holders, isUnderWay, membersOf } from '@ringleader/placement';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Judge } from '@ringleader/testing-simulation';
import type { Cluster } from '../paxos/cluster.js';
import { failShape, type ShapeCheckId } from './checks.js';

export interface ShapeWorld {
  readonly cluster: Cluster;
  readonly judge: Judge;
  /** It will never be heard again under this ordinal. */
  readonly isLost: (ordinal: ShardOrdinal) => boolean;
}

type Replicas = readonly ShardOrdinal[];

/** The longest from a decision to its transaction. */
const DECIDED_AGO_MS = 500;

export class ShapeChecks {
  readonly #world: ShapeWorld;

  constructor(world: ShapeWorld) {
    this.#world = world;
  }

  /** `state` is what the leader knew; a control may have shown its loop another one. */
  decided(state: ClusterState, { work }: Look): void {
    const steps = work.filter((one) => one.kind !== 'places' && one.kind !== 'elapsed');
    for (const step of steps) this.#check('onto a suspect', () => whyOntoSuspect(state, step));
    this.#check('moves at once', () => whyTooMany(state, steps));
    this.#check('paused', () => whyNotPaused(state, steps));
  }

  committed(before: ClusterState, after: ClusterState, changes: Changes): void {
    for (const entry of changes.entries) {
      const former = before.map[entry.partition] as MapEntry;
      this.#check('entry epochs', () => (entry.epoch === former.epoch + 1 ? null : 'another epoch'), entry);
      this.#check('one member at a time', () => whyManyAtOnce(entry), entry);
      this.#check('two sets', () => whyNotLedTo(former, entry), entry);
      this.#check('learnt first', () => this.#whyNotLearnt(former, entry), entry);
      this.#check('settled on proof', () => this.#whyUnproven(former, entry), entry);
      this.#check('majority kept', () => this.#whyLessMajority(before, former, entry), entry);
    }
    this.#check('move records', () => whyRecordsDiffer(after));
    this.#check('majority kept', () => this.#whyGivenUp(before, after));
    const { removed } = changes;
    const named = holders(after.map);
    for (const ordinal of [...changes.placesEnded, ...(removed === null ? [] : [removed.ordinal])]) {
      this.#check('removed empty', () => (named.has(ordinal) ? `ordinal ${String(ordinal)}` : null));
    }
  }

  #check(check: ShapeCheckId, why: () => string | null, entry?: MapEntry): void {
    this.#world.judge.check(() => {
      const reason = why();
      if (reason === null) return;
      const where = entry === undefined ? '' : ` in ${JSON.stringify(entry)}`;
      failShape(check, `${reason}${where} at ${this.#world.cluster.world.events.now.toFixed(1)} ms`);
    });
  }

  /** 6.1: a position of a ballot of the learner's epoch is one that its leader gave it. */
  #whyNotLearnt(former: MapEntry, { partition, nextReplicas }: MapEntry): string | null {
    if (former.nextReplicas !== null || nextReplicas === null) return null;
    const ghost = this.#world.cluster.ghost.partition(partition);
    const added = nextReplicas.filter((ordinal) => !former.replicas.includes(ordinal));
    const behind = added.find((ordinal) => !ghost.wasAtEpoch(ordinal, former.epoch));
    return behind === undefined ? null : `${String(behind)} never was at epoch ${String(former.epoch)}`;
  }

  /** 6.3, as the ghost sees it. */
  #whyUnproven(former: MapEntry, { partition, replicas, nextReplicas }: MapEntry): string | null {
    const settled = former.nextReplicas;
    if (settled === null || nextReplicas !== null || !isSameSet(replicas, settled)) return null;
    if (isSameSet(settled, former.replicas)) return null;
    const isProven = this.#world.cluster.ghost.partition(partition).isCommittedAtEpoch(former.epoch);
    return isProven ? null : `nothing is committed at epoch ${String(former.epoch)}`;
  }

  /** Of whoever is not known to be away since before the step was decided: what dies by itself is nobody's fault. */
  #whyLessMajority(state: ClusterState, former: MapEntry, entry: MapEntry): string | null {
    const knownBy = this.#world.cluster.world.events.now - DECIDED_AGO_MS;
    const lives = (ordinal: ShardOrdinal): boolean => {
      const place = state.places.get(ordinal);
      if (place === undefined || isReplaced(state, ordinal)) return false;
      const verdict = state.verdicts.get(place.shardId);
      return verdict?.verdict !== 'down' || verdict.sinceMs > knownBy;
    };
    const had = [former.replicas, former.nextReplicas ?? former.replicas];
    const has = [entry.replicas, entry.nextReplicas ?? entry.replicas];
    const lacking = has.find((set) => !hasMajority(set, lives));
    if (lacking === undefined || !had.every((set) => hasMajority(set, lives))) return null;
    return `of ${String(lacking)} too few live`;
  }

  /** Whoever is given up is lost for good: not where another loss is to be made good from it. */
  #whyGivenUp(before: ClusterState, after: ClusterState): string | null {
    const givenUp = [...after.places.values()].filter(
      ({ ordinal, state }) => state === 'replaced' && before.places.get(ordinal)?.state !== 'replaced',
    );
    const fresh = givenUp.map(({ ordinal }) => ordinal).filter((ordinal) => !this.#world.isLost(ordinal));
    if (fresh.length === 0) return null;
    const isGone = (state: ClusterState, ordinal: ShardOrdinal): boolean =>
      this.#world.isLost(ordinal) || state.places.get(ordinal)?.state === 'replaced';
    for (const { partition, replicas, nextReplicas } of after.map) {
      for (const set of nextReplicas === null ? [replicas] : [replicas, nextReplicas]) {
        const had = hasMajority(set, (ordinal) => !isGone(before, ordinal));
        const has = hasMajority(set, (ordinal) => !isGone(after, ordinal));
        if (had && !has) return `partition ${String(partition)} lost it for good with ${String(fresh)}`;
      }
    }
    return null;
  }
}

/** Of what is known; at which moment it is told is another matter. */
function isKnownBad(state: ClusterState, ordinal: ShardOrdinal): boolean {
  const shardId = state.places.get(ordinal)?.shardId;
  if (shardId === undefined || isReplaced(state, ordinal)) return true;
  return (state.verdicts.get(shardId)?.verdict ?? 'alive') !== 'alive';
}

function isReplaced({ places, registrations }: ClusterState, ordinal: ShardOrdinal): boolean {
  const place = places.get(ordinal);
  if (place === undefined) return false;
  return place.state === 'replaced' || registrations.get(place.shardId)?.ordinal !== ordinal;
}

function whyOntoSuspect(state: ClusterState, { kind, add }: Step): string | null {
  if (add === null || !['learn', 'joint', 'settle'].includes(kind) || !isKnownBad(state, add)) return null;
  return `${kind} with ${String(add)}`;
}

function whyManyAtOnce({ replicas, nextReplicas, learners }: MapEntry): string | null {
  if (learners.length > 1 || (learners.length > 0 && nextReplicas !== null)) return 'learners';
  if (nextReplicas === null) return null;
  const added = nextReplicas.filter((ordinal) => !replicas.includes(ordinal));
  const removed = replicas.filter((ordinal) => !nextReplicas.includes(ordinal));
  return added.length > 1 || removed.length > 1 ? `${String(removed)} > ${String(added)}` : null;
}

function whyNotLedTo(former: MapEntry, { replicas, nextReplicas, preferredLeader }: MapEntry): string | null {
  const possible = [former.replicas, former.nextReplicas ?? former.replicas];
  if (!possible.some((set) => isSameSet(set, replicas))) return `replicas ${String(former.replicas)} before`;
  if (nextReplicas !== null && former.nextReplicas !== null) return 'two sets follow two sets';
  if (new Set(replicas).size !== replicas.length) return 'a replica twice';
  return membersOf({ ...former, replicas, nextReplicas, learners: [] }).includes(preferredLeader)
    ? null
    : 'led by none of them';
}

/** As far as the leader knew: what one before it had sent may arrive between its look and its transactions. */
function whyTooMany({ map, control }: ClusterState, steps: readonly Step[]): string | null {
  const begun = steps.filter(({ partition, changes }) => {
    const entry = map[partition];
    return entry !== undefined && !isUnderWay(entry) && changes.entries.some(isUnderWay);
  }).length;
  const ended = steps.filter(({ kind }) => kind === 'settle' || kind === 'abandon').length;
  const count = map.filter(isUnderWay).length - ended + begun;
  return begun > 0 && count > (control?.limits.movesMax ?? 0) ? `${String(count)} moves` : null;
}

/** What was cancelled is taken back all the same. */
function whyNotPaused({ control }: ClusterState, steps: readonly Step[]): string | null {
  if (control?.paused !== true) return null;
  const step = steps.find(({ kind }) => kind !== 'abandon');
  return step === undefined ? null : `${step.kind} of partition ${String(step.partition)}`;
}

function whyRecordsDiffer({ map, moves }: ClusterState): string | null {
  for (const entry of map) {
    const record = moves.get(entry.partition);
    if ((record !== undefined) !== isUnderWay(entry)) return `partition ${String(entry.partition)}`;
    if (record === undefined || record.add === null) continue;
    if (membersOf(entry).includes(record.add)) continue;
    return `partition ${String(entry.partition)}: ${JSON.stringify(record)}`;
  }
  return null;
}

function hasMajority(set: Replicas, has: (ordinal: ShardOrdinal) => boolean): boolean {
  return set.filter(has).length * 2 > set.length;
}

function isSameSet(a: Replicas, b: Replicas): boolean {
  return a.length === b.length && a.every((ordinal) => b.includes(ordinal));
}
