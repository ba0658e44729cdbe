/** What must hold of every step of placement, whatever happens meanwhile. Each check has a name, for controls to be caught by. */
import { type MapEntry, PLANNER_RULES } from '../src/index.js';
import { healthOf, isUnderWay } from '../src/planner/cluster-state.js';
import type { EntryChange, ModelCluster } from './model-cluster.js';

export class CheckFailed extends Error {
  constructor(
    readonly check: string,
    detail: unknown,
  ) {
    super(`${check}: ${JSON.stringify(detail)}`);
  }
}

const without = (a: readonly number[], b: readonly number[]): number[] => a.filter((one) => !b.includes(one));

export function checkEveryStep(cluster: ModelCluster): void {
  cluster.onEntryChange = (change) => {
    checkEpoch(change);
    checkOneMemberAtOnce(change);
    checkSettled(change, cluster);
    checkZones(change, cluster);
    checkBegun(change);
    checkGivesWay(change, cluster);
  };
}

function checkEpoch({ before, after }: EntryChange): void {
  if (after.epoch !== before.epoch + 1) throw new CheckFailed('epochs rise by one', { before, after });
}

function checkOneMemberAtOnce({ before, after }: EntryChange): void {
  const fail = (): never => {
    throw new CheckFailed('one member at once', { before, after });
  };
  if (after.nextReplicas !== null) {
    if (before.nextReplicas !== null) fail();
    if (without(after.nextReplicas, after.replicas).length > 1) fail();
    if (without(after.replicas, after.nextReplicas).length > 1) fail();
  }
  if (after.learners.length > 1) fail();
  // The set alone changes only as the two sets before said.
  const isKept = String(after.replicas) === String(before.replicas);
  if (!isKept && String(after.replicas) !== String(before.nextReplicas)) fail();
}

function checkSettled({ before, after, state }: EntryChange, cluster: ModelCluster): void {
  if (before.nextReplicas === null || after.nextReplicas !== null) return;
  if (String(after.replicas) === String(before.replicas)) return;
  if (!cluster.ready.has(`${before.partition}/${before.epoch}`))
    throw new CheckFailed('settles on ready', { before, after });
  for (const add of without(after.replicas, before.replicas)) {
    if (healthOf(state, add) !== 'alive')
      throw new CheckFailed('settles on nobody doubted', { before, after });
  }
  if (after.replicas.length !== state.replicationFactor)
    throw new CheckFailed('replication factor', { before, after });
}

/** In between, a partition is in no fewer zones than before or as it is aimed at. */
function checkZones({ before, after, state }: EntryChange, cluster: ModelCluster): void {
  if (after.nextReplicas === null || before.nextReplicas !== null) return;
  const target = cluster.target(state)?.[after.partition]?.replicas;
  if (target === undefined) return;
  const zones = (of: readonly number[]): number =>
    new Set(of.map((ordinal) => state.places.get(ordinal)?.zone ?? '')).size;
  if (zones(after.nextReplicas) < Math.min(zones(after.replicas), zones(target)))
    throw new CheckFailed('zones in between', { before, after, target });
}

function checkBegun({ before, after, state }: EntryChange): void {
  if (before.learners.length > 0 || after.learners.length === 0) return;
  const underWay = state.map.filter(isUnderWay);
  if (underWay.length >= state.control!.limits.movesMax)
    throw new CheckFailed('moves at once', { underWay: underWay.length, after });
  if (state.control!.paused) throw new CheckFailed('paused', { after });
}

const MINUTE_MS = 60_000;

/** Beside a shard whose users wait nothing else begins; but what replaces a replica that is lost, and beside what comes no further. */
function checkGivesWay({ before, after, work, state }: EntryChange, cluster: ModelCluster): void {
  const isWhole = ({ replicas }: MapEntry): boolean =>
    replicas.every((ordinal) => ['alive', 'suspect'].includes(healthOf(state, ordinal)));
  if (work.kind !== 'learn' || !isWhole(before) || state.control!.limits.movesMax > 4) return;
  const others = state.map.filter((entry) => cluster.isCopying(entry) && isWhole(entry));
  if (others.length === 0) return;
  const gaveWay = (ordinal: number | null): boolean =>
    ordinal !== null && (cluster.quietMs(ordinal) ?? Infinity) < MINUTE_MS;
  if (gaveWay(before.preferredLeader) || others.some((entry) => gaveWay(cluster.leaderOf(entry))))
    throw new CheckFailed('gives way to users', { before, after, others });
}

/** When all is quiet. */
export function checkEnd({ state }: ModelCluster): void {
  const eligible = [...state.places.values()].filter((place) => place.state === 'active');
  const zones = new Set(eligible.map(PLANNER_RULES.zoneOf)).size;
  const isEligible = (ordinal: number): boolean => eligible.some((place) => place.ordinal === ordinal);
  const zoneOf = (ordinal: number): string => state.places.get(ordinal)!.zone;
  const check = (entry: MapEntry): void => {
    if (entry.replicas.length !== state.replicationFactor || !entry.replicas.every(isEligible))
      throw new CheckFailed('replicas at the end', { entry });
    const spread = new Set(entry.replicas.map(zoneOf)).size;
    if (spread !== Math.min(zones, state.replicationFactor))
      throw new CheckFailed('zones at the end', { entry });
    if (!entry.replicas.includes(entry.preferredLeader))
      throw new CheckFailed('leader at the end', { entry });
  };
  state.map.forEach(check);
  if (state.moves.size > 0) throw new CheckFailed('records at the end', { moves: [...state.moves.values()] });
  const held = new Set(state.map.flatMap(({ replicas }) => replicas));
  for (const { ordinal, state: now } of state.places.values())
    if (now === 'draining' && !held.has(ordinal)) throw new CheckFailed('drained at the end', { ordinal });
}
