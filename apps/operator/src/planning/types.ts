/**
 * What the operator's planner is given, and what it answers: data only. `decide(observed, wanted)` is pure; reading the API server
 * and the coordinators, and doing what it answers, is the business of reconcile/.
 *
 * What is observed may be older than the world. So whoever does the actions looks again, past all caches, before one that cannot be
 * taken back, and does it only if
 * - before `markRemoved`, `deleteClaim`, `removeShard`, `removeCoordinator`, `replaceCoordinator`, and an `apply` or `scale` that lowers the
 *   replicas of a StatefulSet: the cluster has the same uid, generation and deletionTimestamp as in what was observed;
 * - before `markRemoved`, and `deleteClaim` with a member: the coordinators' leader answers, and lists no member of the group of this name; or, for a
 *   shard, lists some shards (before the first map the list is empty and says nothing), and none of this name;
 * - the uid of a pod, claim or object is the one that is named; epochs and indexes are compared by the coordinators.
 */
import type {
  CoordinatorMembers,
  MemberView,
  PlacedShard,
  Plan,
  RingleaderCluster,
  RingleaderClusterStatus,
} from '@ringleader/contracts';

/** With a StatefulSet or a Deployment of its own, called NAME-COMPONENT. */
export const COMPONENTS = ['nats', 'coordinator', 'shard', 'failure-detector', 'gateway'] as const;
export type Component = (typeof COMPONENTS)[number];

export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Absent: that of the cluster. */
  readonly namespace?: string;
}
export const refText = ({ kind, name }: ObjectRef): string => `${kind}/${name}`;

/** A Kubernetes object as plain JSON. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly object[];
  };
  readonly [part: string]: unknown;
}

export interface PodSeen {
  readonly name: string;
  readonly uid: string;
  readonly component: Component;
  /** Of a StatefulSet's pod: from 1 on. */
  readonly ordinal: number | null;
  readonly node: string;
  readonly isReady: boolean;
  readonly isTerminating: boolean;
  /** Of its StatefulSet, when it was made. */
  readonly revision: string;
  readonly createdAt: string;
  /** Since when it is ready, or is not: an ISO time. */
  readonly since: string;
  /** The most telling reason why it is not ready: ImagePullBackOff, CrashLoopBackOff, Unschedulable, ...; empty when it is. */
  readonly trouble: string;
}

export interface ClaimSeen {
  readonly name: string;
  readonly uid: string;
  readonly component: Component;
  readonly ordinal: number;
  readonly isTerminating: boolean;
  /** There is a volume behind it: before, nothing can have been written. */
  readonly isBound: boolean;
  /** As Kubernetes says it: Pending, Bound, or Lost. Only one that is Bound may grow. */
  readonly phase: string;
  /** That is asked for, as in 10Gi. */
  readonly size: string;
  /** Empty: it has none. */
  readonly storageClass: string;
  /** Written by the operator once the group of this coordinator, or the database of this shard, was founded. */
  readonly isFounded: boolean;
  /** Written by the operator before the pod of a member goes that was removed: nobody who lives on it comes back. */
  readonly isRemoved: boolean;
}

export interface WorkloadSeen {
  readonly uid: string;
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly updatedReplicas: number;
  /** Of a StatefulSet: that pods made now have. */
  readonly updateRevision: string;
  /** Whether the API server's controller has seen its newest specification: before, the counts above are of an older one. */
  readonly isCurrent: boolean;
  /** Of its template, by the names of containers. */
  readonly images: Readonly<Record<string, string>>;
}

/** As the coordinators' leader says: null as a whole where none answers. */
export interface DataPlaneSeen {
  readonly clusterId: string | null;
  /** What the cluster was founded with, which never changes; null before it is. */
  readonly founded: { readonly partitions: number; readonly replicationFactor: number } | null;
  readonly coordinators: CoordinatorMembers;
  /** Empty before the first map. */
  readonly shards: readonly PlacedShard[];
  readonly plan: Plan | null;
  readonly members: readonly MemberView[];
  /** Partitions whose preferred leader, or any announced leader, is missing; null where nobody knows. */
  readonly partitionsWithoutMajority: number | null;
  /** Keys of what nobody can read here, as what a newer version has written: the above is without it. */
  readonly unreadable: readonly string[];
}

export interface Observed {
  readonly cluster: RingleaderCluster;
  readonly isNamespaceTerminating: boolean;
  readonly workloads: Readonly<Partial<Record<Component, WorkloadSeen>>>;
  readonly pods: readonly PodSeen[];
  readonly claims: readonly ClaimSeen[];
  readonly data: DataPlaneSeen | null;
  /** The numbers that the group is, or was, founded with, as the ConfigMap NAME-coordinator has them; null while there is none. */
  readonly founding: { readonly founders: number; readonly initialShards: number } | null;
  /** Owned objects, by `refText`: the hash of what was applied last, and whether the live object still has all of it. */
  readonly objects: Readonly<
    Record<string, { readonly uid: string; readonly appliedHash: string; readonly isAsApplied: boolean }>
  >;
  /** Storage classes that let no volume grow, of the claims that are to grow or wait for a volume. */
  readonly fixedClasses: readonly string[];
  /** Of the same claims: those that are not there. */
  readonly missingClasses: readonly string[];
  /** Why no more pods are made, as Kubernetes says it, where it says so. */
  readonly whyMissing: Readonly<Partial<Record<Component, string>>>;
  /** Names of kinds that this API server has: ServiceMonitor, Certificate. */
  readonly optionalKinds: readonly string[];
  /** Hashes of the contents of secrets that pods must be rolled for, by their names. */
  readonly secretHashes: Readonly<Record<string, string>>;
  /** Of this version of the operator. */
  readonly operatorImages: Images;
  readonly nowMs: number;
}

/** Why: a sentence for the event and the log. */
interface Because {
  readonly why: string;
}
export type Action = Because &
  (
    | { readonly kind: 'apply'; readonly manifest: Manifest; readonly hash: string }
    /** `leavesPods`: what it owns stays (propagationPolicy Orphan), and is taken over by the one that is made after it. */
    | {
        readonly kind: 'deleteObject';
        readonly ref: ObjectRef;
        readonly uid: string;
        readonly leavesPods: boolean;
      }
    /** Of a StatefulSet or Deployment, by its /scale and nothing else, while the rest of what is wanted of it must wait. */
    | {
        readonly kind: 'scale';
        readonly ref: ObjectRef;
        readonly uid: string;
        readonly replicas: number;
      }
    | { readonly kind: 'growClaim'; readonly claim: string; readonly uid: string; readonly size: string }
    /** By the Eviction API. 429 is no failure: it is tried again. */
    | { readonly kind: 'evict'; readonly pod: string; readonly uid: string }
    /** With a precondition on the uid; only of a pod that is not ready and that eviction would be refused for, or with the cluster. */
    | { readonly kind: 'deletePod'; readonly pod: string; readonly uid: string }
    /** Of a member (shard-4, coordinator-5) that must be in the cluster no more; null: the cluster itself is deleted. */
    | {
        readonly kind: 'deleteClaim';
        readonly claim: string;
        readonly uid: string;
        readonly member: string | null;
      }
    /** Writes on the claims of a component that what they hold was founded. */
    | { readonly kind: 'markFounded'; readonly claims: readonly string[] }
    /** Writes on a claim that its member is in the cluster no more. */
    | {
        readonly kind: 'markRemoved';
        readonly claim: string;
        readonly uid: string;
        readonly member: string;
      }
    | {
        readonly kind: 'drainShard' | 'undrainShard' | 'removeShard';
        readonly shard: string;
        readonly ifEpoch: number;
      }
    /** As the operator's own pause, by which a person's is neither made nor ended. */
    | { readonly kind: 'pauseMoves' | 'resumeMoves'; readonly ifEpoch: number }
    | {
        readonly kind: 'addCoordinator' | 'removeCoordinator' | 'replaceCoordinator';
        readonly seat: number;
        readonly ifIndex: number;
      }
    | { readonly kind: 'transferLeader'; readonly to: number | null }
    | { readonly kind: 'addFinalizer' | 'removeFinalizer' }
  );

export interface Decision {
  /** In this order, each after the one before has succeeded; the first that fails ends the round. (A volume that may not grow does not.) */
  readonly actions: readonly Action[];
  /** Written last, only where it differs from the present one. */
  readonly status: RingleaderClusterStatus;
  /** When to look again though nothing is heard; null: at the resync. */
  readonly lookAgainMs: number | null;
}

/** What pods are made from, decided by the planner before the objects are built. */
export interface Shape {
  /** Of the StatefulSets and Deployments, as they are to be now. */
  readonly replicas: Readonly<Record<Component, number>>;
  /** What an empty volume of a coordinator is for. */
  readonly coordinatorBootstrap: 'new-cluster' | 'join';
  /** Members of the group that is founded: RINGLEADER_COORDINATOR_COUNT. */
  readonly founders: number;
  /** RINGLEADER_INITIAL_SHARDS. */
  readonly initialShards: number;
  readonly optionalKinds: readonly string[];
  readonly secretHashes: Readonly<Record<string, string>>;
  readonly images: Images;
}

/** All objects that the cluster is to have, in the order in which they are to be made. */
export type OwnedObjects = (cluster: RingleaderCluster, shape: Shape) => readonly Manifest[];

export interface Images {
  readonly ringleader: string;
  readonly postgres: string;
  readonly nats: string;
}

export interface ChosenImages {
  /** What pods are made of now. */
  readonly run: Images;
  /** What is run where the cluster names nothing: kept in its status. */
  readonly chosen: NonNullable<RingleaderClusterStatus['images']>;
  readonly notes: readonly Note[];
}

/** What is being done or waited for (`doing`), what is asked for and not done (`refused`), what is not as it should be (`amiss`). */
export interface Note {
  readonly kind: 'doing' | 'refused' | 'amiss';
  /** Of a condition: UpperCamelCase. */
  readonly reason: string;
  /** A sentence that stays the same for as long as what it says. */
  readonly message: string;
}
