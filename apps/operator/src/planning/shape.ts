/**
 * How many of each there are to be now: not what is asked for, but the next step on the way there that costs nothing. It follows from
 * what is seen of the members, never from the replicas that a StatefulSet has, which anybody may have set: a StatefulSet has at
 * least as many pods as the highest number of a member, so it shrinks by the removal of members and by nothing else.
 */
import type { RingleaderCluster } from '@ringleader/contracts';
import type { PlannerRules } from './rules.js';
import { claimsOf, highest, highestClaim, isGroupChanging, placedShards, seatedMembers } from './seen.js';
import type { Images, Observed, Shape } from './types.js';

const NATS_REPLICAS = 3;

export const natsReplicas = ({ spec: { nats } }: RingleaderCluster): number =>
  nats.external === undefined ? (nats.managed?.replicas ?? NATS_REPLICAS) : 0;

export function shapeOf(observed: Observed, rules: PlannerRules, images: Images): Shape {
  const { cluster, founding, optionalKinds, secretHashes } = observed;
  const { shards, gateways, failureDetectors } = cluster.spec;
  const isFounded = rules.isFounded(observed);
  return {
    replicas: {
      nats: natsReplicas(cluster),
      coordinator: coordinatorReplicas(observed, rules, isFounded),
      shard: shardReplicas(observed, rules),
      'failure-detector': failureDetectors.replicas,
      gateway: gateways.replicas,
    },
    coordinatorBootstrap: isFounded ? 'join' : 'new-cluster',
    founders: founding?.founders ?? foundersOver(observed),
    initialShards: founding?.initialShards ?? shards.replicas,
    optionalKinds,
    secretHashes,
    images,
  };
}

function coordinatorReplicas(observed: Observed, rules: PlannerRules, isFounded: boolean): number {
  const { cluster, workloads, founding } = observed;
  const wanted = cluster.spec.coordinators.replicas;
  // All founders are needed at the founding, and nobody else.
  if (!isFounded) return founding?.founders ?? foundersOver(observed);
  const present = workloads.coordinator?.replicas ?? 0;
  const members = seatedMembers(observed);
  if (members === null) return Math.max(present, highestClaim(observed, 'coordinator'));
  const seats = highest(members.map(({ seat }) => seat));
  if (seats >= wanted) return seats;
  const here = Math.max(seats, Math.min(present, wanted));
  return mayGrow(observed, rules, here, wanted) ? here + 1 : here;
}

/** Volumes of a cluster before, which may have been founded without anybody having written so down: all of them are needed then. */
function foundersOver(observed: Observed): number {
  const wanted = observed.cluster.spec.coordinators.replicas;
  const all = Math.max(wanted, highestClaim(observed, 'coordinator'));
  return all % 2 === 0 ? all + 1 : all;
}

/** One more only when all that there are vote, and no volume of one that was removed is left at the next seat. */
function mayGrow(observed: Observed, rules: PlannerRules, here: number, wanted: number): boolean {
  const allVote = Array.from({ length: here }, (_, i) => i + 1).every((seat) =>
    seatedMembers(observed)?.some((member) => member.seat === seat && member.role !== 'learner'),
  );
  const isFree = !claimsOf(observed, 'coordinator').some(({ ordinal }) => ordinal === here + 1);
  return here < wanted && allVote && isFree && rules.mayChangeGroup(isGroupChanging(observed));
}

function shardReplicas(observed: Observed, rules: PlannerRules): number {
  const { cluster, workloads, founding } = observed;
  const wanted = cluster.spec.shards.replicas;
  const placed = placedShards(observed);
  const present = workloads.shard?.replicas ?? 0;
  const claimed = highestClaim(observed, 'shard');
  const isFounded = claimsOf(observed, 'shard').some((claim) => claim.isFounded);
  // The first map waits for all that it was to be made of.
  const awaited = observed.data === null || isFounded ? 0 : (founding?.initialShards ?? 0);
  const kept =
    placed === null
      ? Math.max(present, claimed, awaited)
      : rules.shardsKept(highest(placed.map(({ number }) => number)));
  const isKnown = (ordinal: number): boolean => placed?.some(({ number }) => number === ordinal) ?? false;
  const inTheWay = claimsOf(observed, 'shard')
    .filter((claim) => rules.isInTheWay(claim, isKnown(claim.ordinal)))
    .map(({ ordinal }) => ordinal);
  const here = Math.max(kept, Math.min(present, wanted));
  const free = inTheWay.filter((ordinal) => ordinal > here);
  return Math.max(here, Math.min(wanted, ...free.map((ordinal) => ordinal - 1)));
}
