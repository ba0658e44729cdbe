/** Questions about what was observed that several phases ask. */
import {
  coordinatorSeat,
  shardsByName,
  type CoordinatorMember,
  type PlacedShard,
} from '@ringleader/contracts';
import type { ClaimSeen, Component, Observed, PodSeen } from './types.js';

/** With pods that have numbers and are rolled one by one by the operator, in the order of an update. */
export const NUMBERED = ['nats', 'coordinator', 'shard'] as const satisfies readonly Component[];
export type Numbered = (typeof NUMBERED)[number];
export const isNumbered = (component: Component): component is Numbered =>
  NUMBERED.some((one) => one === component);

export const memberName = (component: Component, ordinal: number): string => `${component}-${ordinal}`;
export const workloadName = ({ cluster }: Observed, component: Component): string =>
  `${cluster.metadata.name}-${component}`;
export const highest = (numbers: readonly number[]): number => Math.max(0, ...numbers);

/** Of a name as in shard-3; 0 for what is none. */
export function ordinalIn(member: string): number {
  const [, digits] = /-(\d+)$/.exec(member) ?? [];
  return Number(digits ?? 0);
}

export function podsOf({ pods }: Observed, component: Component): readonly PodSeen[] {
  return pods
    .filter((pod) => pod.component === component)
    .sort((a, b) => (b.ordinal ?? 0) - (a.ordinal ?? 0));
}

export function podAt(observed: Observed, component: Component, ordinal: number): PodSeen | undefined {
  return observed.pods.find((pod) => pod.component === component && pod.ordinal === ordinal);
}

export function claimsOf({ claims }: Observed, component: Component): readonly ClaimSeen[] {
  return claims.filter((claim) => claim.component === component).sort((a, b) => b.ordinal - a.ordinal);
}

/** The highest number of a claim that is needed: while nobody can be asked, so many members there may be. */
export function highestClaim(observed: Observed, component: Component): number {
  return highest(
    claimsOf(observed, component).flatMap(({ ordinal, isTerminating, isRemoved }) =>
      isTerminating || isRemoved ? [] : ordinal,
    ),
  );
}

/**
 * The shards that placement knows, by the number of their pod, highest first; of one that came back as a new one only what it is
 * now. Null where nobody can say: no coordinator answers, or there is no first map, before which an empty list means nothing.
 */
export function placedShards({ data }: Observed): readonly NumberedShard[] | null {
  if (data === null || data.shards.length === 0) return null;
  return [...shardsByName(data.shards).values()]
    .map((placed) => ({ ...placed, number: ordinalIn(placed.shard) }))
    .filter(({ number }) => number > 0)
    .sort((a, b) => b.number - a.number);
}
/** `ordinal` is that of placement, which is given once and never again; `number` that of its pod. */
export type NumberedShard = PlacedShard & { readonly number: number };

export type SeatedMember = CoordinatorMember & { readonly seat: number };
/** Null where no coordinator answers. Highest seat first. */
export function seatedMembers({ data }: Observed): readonly SeatedMember[] | null {
  if (data === null) return null;
  return data.coordinators.members
    .map((member) => ({ ...member, seat: coordinatorSeat(member.name) ?? 0 }))
    .sort((a, b) => b.seat - a.seat);
}
export function applicantSeats({
  data,
}: Observed): readonly { readonly seat: number; readonly id: string }[] {
  return (data?.coordinators.applicants ?? []).map(({ name, id }) => ({
    seat: coordinatorSeat(name) ?? 0,
    id,
  }));
}

/** A change of the group is not over: joint, not committed, or a learner is still catching up. */
export function isGroupChanging({ data }: Observed): boolean {
  return (
    data !== null &&
    (data.coordinators.joint || data.coordinators.members.some(({ role }) => role === 'learner'))
  );
}
