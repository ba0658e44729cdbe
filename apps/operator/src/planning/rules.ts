/**
 * The decisions on which safety rests, one function each, so that a negative control can break one of them and a named check must
 * find it (planning.property.spec.ts).
 */
import type { Plan } from '@ringleader/contracts';
import type { SeatedMember } from './seen.js';
import type { ClaimSeen, Images, Observed, PodSeen, WorkloadSeen } from './types.js';

export interface PlannerRules {
  /** Whether the cluster was ever founded: an empty volume founds nothing from then on. */
  readonly isFounded: (observed: Observed) => boolean;
  /** Whether nothing is kept on a volume any more. `members`: the names of all that there are; null where nobody can say. */
  readonly isGivenUp: (member: string, members: readonly string[] | null) => boolean;
  /** How many shards there must be as long as placement knows one with this number. */
  readonly shardsKept: (highestPlaced: number) => number;
  /** Whether a shard that holds nothing any more may be forgotten. */
  readonly mayRemoveShard: (state: string) => boolean;
  /** Whether a volume that is there keeps a new shard, or coordinator, from being made with its number. */
  readonly isInTheWay: (claim: ClaimSeen, isKnown: boolean) => boolean;
  /** Whether so many others are enough for all replicas of a partition. */
  readonly isEnough: (others: number, replicationFactor: number) => boolean;
  /** Whether the group may be changed now. */
  readonly mayChangeGroup: (isChanging: boolean) => boolean;
  /** Whether those who stay can decide, as far as they are heard. */
  readonly staysQuorate: (staying: readonly SeatedMember[]) => boolean;
  /** Whether a pod that is ready may be taken, with so many others that should be ready and are not. */
  readonly mayDisturb: (othersDown: number) => boolean;
  /** Whether what is said of pods is about the newest specification. */
  readonly believes: (workload: WorkloadSeen) => boolean;
  /** Whether a pod is down for good, so that taking it costs nothing. */
  readonly isBroken: (pod: PodSeen) => boolean;
  /** Whether the operator made this pause, so that it may end it. */
  readonly isOwnPause: (plan: Plan) => boolean;
  /** Whether shards may be rolled while partitions move. */
  readonly mayRollShards: (plan: Plan) => boolean;
  /** What a cluster that names no image goes on with, of what was chosen for it and what the operator would choose now. */
  readonly imagesKept: (chosen: Images, operators: Images) => Images;
}

const BROKEN = [
  ...['ImagePullBackOff', 'ErrImagePull', 'ErrImageNeverPull', 'InvalidImageName', 'ImageInspectError'],
  ...['CrashLoopBackOff', 'RunContainerError', 'CreateContainerConfigError', 'CreateContainerError'],
  ...['Unschedulable', 'Failed', 'Evicted'],
];

export const PLANNER_RULES: PlannerRules = {
  // A volume of a shard is enough: data without coordinators are for a person to save, not to be founded over.
  isFounded: ({ claims, data }) => data !== null || claims.some(({ isFounded }) => isFounded),
  isGivenUp: (member, members) => members !== null && !members.includes(member),
  shardsKept: (highestPlaced) => highestPlaced,
  mayRemoveShard: (state) => state === 'drained' || state === 'replaced',
  isInTheWay: ({ isTerminating, isFounded }, isKnown) => isTerminating || (isFounded && !isKnown),
  isEnough: (others, replicationFactor) => others >= replicationFactor,
  mayChangeGroup: (isChanging) => !isChanging,
  staysQuorate: (staying) =>
    staying.filter(({ reachable }) => reachable).length >= Math.floor(staying.length / 2) + 1,
  mayDisturb: (othersDown) => othersDown === 0,
  believes: ({ isCurrent }) => isCurrent,
  isBroken: ({ isReady, trouble }) => !isReady && BROKEN.includes(trouble),
  isOwnPause: ({ paused, pausedBy }) => paused && pausedBy === 'operator',
  mayRollShards: ({ paused }) => paused,
  imagesKept: (chosen) => chosen,
};
