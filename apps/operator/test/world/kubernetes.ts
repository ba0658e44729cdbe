/**
 * The API server with its controllers and a kubelet, as far as the planner can tell: StatefulSets that are Parallel and OnDelete,
 * claims that are protected while a pod has them, evictions under a budget. Nothing happens by itself: each step is asked for.
 */
import type { RingleaderCluster } from '@ringleader/contracts';
import { appliedHash } from '../../src/planning/applied-hash.js';
import {
  type ClaimSeen,
  COMPONENTS,
  type Component,
  type Manifest,
  type ObjectRef,
  type Observed,
  type PodSeen,
  refText,
  type WorkloadSeen,
} from '../../src/planning/types.js';
import { BAD_IMAGE, newCluster } from './cluster-of.js';
import { Refused } from './violations.js';

export interface WorldClaim {
  readonly name: string;
  readonly uid: string;
  readonly component: 'coordinator' | 'shard';
  readonly ordinal: number;
  /** What is on it; null: nothing. */
  id: string | null;
  size: string;
  readonly storageClass: string;
  isBound: boolean;
  isTerminating: boolean;
  isFounded: boolean;
  isRemoved: boolean;
}
export interface WorldPod {
  readonly name: string;
  readonly uid: string;
  readonly component: Component;
  readonly ordinal: number | null;
  readonly revision: string;
  readonly image: string;
  /** The ConfigMap as it was read at the start. */
  config: Readonly<Record<string, string>>;
  claim: WorldClaim | null;
  phase: 'pending' | 'running' | 'broken';
  isTerminating: boolean;
  since: string;
  wasReady: boolean;
}
interface WorldObject {
  readonly uid: string;
  readonly appliedHash: string;
  readonly applied: Manifest;
  /** What a StatefulSet really has: anybody may have set it. */
  replicas: number;
  /** Whether its controller has seen the newest. */
  isCurrent: boolean;
}

const STORAGE_CLASS = 'standard';
const SETS = ['nats', 'coordinator', 'shard'] as const;
const isKeeper = (component: Component): component is 'coordinator' | 'shard' =>
  component === 'coordinator' || component === 'shard';

export class Kubernetes {
  cluster: RingleaderCluster | null = newCluster();
  isNamespaceTerminating = false;
  /** What anybody can see of the storage class: that it lets volumes grow, that it does not, or that it is not there. */
  storageClass: 'growing' | 'fixed' | 'missing' = 'growing';
  readonly objects = new Map<string, WorldObject>();
  readonly pods = new Map<string, WorldPod>();
  readonly claims = new Map<string, WorldClaim>();
  #uids = 0;

  constructor(private readonly outside: { isReady(pod: WorldPod): boolean; nowText(): string }) {}

  /** A new one of the same name. What the one before owned is collected; claims belong to nobody. */
  begin(): void {
    this.objects.clear();
    const cluster = newCluster();
    this.cluster = { ...cluster, metadata: { ...cluster.metadata, uid: this.#uid() } };
  }

  // What the planner sees.

  observed(): Omit<Observed, 'cluster' | 'data' | 'nowMs' | 'operatorImages'> {
    const isAsApplied = ({ applied, replicas }: WorldObject): boolean => replicas === replicasIn(applied);
    const founding = this.objects.get('ConfigMap/demo-coordinator')?.applied['data'] as
      Readonly<Record<string, string>> | undefined;
    return {
      isNamespaceTerminating: this.isNamespaceTerminating,
      workloads: Object.fromEntries(
        COMPONENTS.flatMap((component) => {
          const workload = this.#workloadSeen(component);
          return workload === null ? [] : [[component, workload]];
        }),
      ),
      pods: [...this.pods.values()].map((pod) => this.#podSeen(pod)),
      claims: [...this.claims.values()].map(({ id: _, ...claim }): ClaimSeen => ({
        ...claim,
        phase: claim.isBound ? 'Bound' : 'Pending',
      })),
      objects: Object.fromEntries(
        [...this.objects].map(([ref, object]) => [
          ref,
          { uid: object.uid, appliedHash: object.appliedHash, isAsApplied: isAsApplied(object) },
        ]),
      ),
      founding:
        founding === undefined
          ? null
          : {
              founders: Number(founding['founders']),
              initialShards: Number(founding['initialShards']),
            },
      fixedClasses: this.storageClass === 'fixed' ? [STORAGE_CLASS] : [],
      missingClasses: this.storageClass === 'missing' ? [STORAGE_CLASS] : [],
      whyMissing: {},
      optionalKinds: [],
      secretHashes: {},
    };
  }

  #podSeen(pod: WorldPod): PodSeen {
    const isReady = this.isReady(pod);
    const { name, uid, component, ordinal, isTerminating, revision, since, phase } = pod;
    const trouble = phase === 'broken' ? 'CrashLoopBackOff' : phase === 'pending' ? 'Pending' : 'NotReady';
    return {
      ...{ name, uid, component, ordinal, isTerminating, revision, since, isReady },
      node: phase === 'pending' ? '' : 'node',
      createdAt: since,
      trouble: isReady ? '' : trouble,
    };
  }

  #workloadSeen(component: Component): WorkloadSeen | null {
    const object = this.workload(component);
    if (object === undefined) return null;
    const pods = this.podsOf(component);
    const updateRevision = revisionOf(object.applied);
    return {
      uid: object.uid,
      replicas: object.replicas,
      readyReplicas: pods.filter((pod) => this.isReady(pod)).length,
      updatedReplicas: pods.filter(({ revision }) => revision === updateRevision).length,
      // As long as the controller has not looked, its status is that of before.
      updateRevision: object.isCurrent ? updateRevision : 'before',
      isCurrent: object.isCurrent,
      images: { [component]: imageOf(object.applied) },
    };
  }

  workload(component: Component): WorldObject | undefined {
    return this.objects.get(`${kindOf(component)}/demo-${component}`);
  }
  podsOf(component: Component): WorldPod[] {
    return [...this.pods.values()].filter((pod) => pod.component === component);
  }
  isReady(pod: WorldPod): boolean {
    return pod.phase === 'running' && this.outside.isReady(pod);
  }

  // What the operator asks for.

  apply(manifest: Manifest, hash: string): void {
    const ref = refText({ ...manifest, name: manifest.metadata.name });
    const before = this.objects.get(ref);
    const { annotations: _, ...metadata } = manifest.metadata;
    const applied = { ...manifest, metadata };
    if (appliedHash(applied) !== hash) throw new Error(`${ref} has another hash than it says`);
    const claims = (one: Manifest): string => JSON.stringify(specOf(one)['volumeClaimTemplates'] ?? null);
    if (before !== undefined && claims(before.applied) !== claims(applied)) throw new Refused('Invalid');
    const uid = before?.uid ?? this.#uid();
    this.objects.set(ref, {
      ...{ uid, appliedHash: hash, applied, replicas: replicasIn(applied), isCurrent: false },
    });
  }

  deleteObject(ref: ObjectRef, uid: string, leavesPods: boolean): void {
    if (this.objects.get(refText(ref))?.uid !== uid) throw new Refused('NotFound');
    this.objects.delete(refText(ref));
    if (leavesPods) return;
    for (const pod of this.pods.values()) {
      if (ref.name === `demo-${pod.component}` && ref.kind !== 'ConfigMap') pod.isTerminating = true;
    }
  }

  scale(ref: ObjectRef, uid: string, replicas: number): void {
    const object = this.objects.get(refText(ref));
    if (object?.uid !== uid) throw new Refused('NotFound');
    object.replicas = replicas;
    object.isCurrent = false;
  }

  /** Under a budget of one. False: 429. */
  evict(name: string, uid: string): boolean {
    const pod = this.#pod(name, uid);
    const expected = this.workload(pod.component)?.replicas ?? 0;
    const healthy = this.podsOf(pod.component).filter(
      (one) => this.isReady(one) && !one.isTerminating,
    ).length;
    if (healthy < (this.isReady(pod) ? expected : expected - 1)) return false;
    pod.isTerminating = true;
    return true;
  }

  deletePod(name: string, uid: string): void {
    this.#pod(name, uid).isTerminating = true;
  }

  claim(name: string, uid: string): WorldClaim {
    const claim = this.claims.get(name);
    if (claim?.uid !== uid) throw new Refused('Conflict');
    return claim;
  }

  deleteClaim(claim: WorldClaim): void {
    claim.isTerminating = true;
  }

  #pod(name: string, uid: string): WorldPod {
    const pod = this.pods.get(name);
    if (pod?.uid !== uid) throw new Refused('Conflict');
    return pod;
  }

  // What happens by itself, when it is its turn.

  control(): void {
    for (const component of SETS) this.#controlSet(component);
    for (const component of ['failure-detector', 'gateway'] as const) this.#controlDeployment(component);
  }

  #controlSet(component: (typeof SETS)[number]): void {
    const set = this.workload(component);
    if (set === undefined) return;
    set.isCurrent = true;
    for (const pod of this.podsOf(component)) {
      if ((pod.ordinal ?? 0) > set.replicas) pod.isTerminating = true;
    }
    for (let ordinal = 1; ordinal <= set.replicas; ordinal++) {
      const name = `demo-${component}-${ordinal}`;
      if (!this.pods.has(name)) this.#createPod({ name, component, ordinal, set });
    }
  }

  /** One at a time is made anew, while all others are ready. */
  #controlDeployment(component: 'failure-detector' | 'gateway'): void {
    const deployment = this.workload(component);
    if (deployment === undefined) return;
    deployment.isCurrent = true;
    const pods = this.podsOf(component).filter(({ isTerminating }) => !isTerminating);
    const old = pods.filter(({ revision }) => revision !== revisionOf(deployment.applied));
    const down = pods.filter((pod) => !this.isReady(pod));
    const surplus =
      pods.length > deployment.replicas
        ? pods[0]
        : (old.find((pod) => down.includes(pod)) ?? (down.length === 0 ? old[0] : undefined));
    if (surplus !== undefined) surplus.isTerminating = true;
    else if (pods.length < deployment.replicas) {
      const name = `demo-${component}-${this.#uid()}`;
      this.#createPod({ name, component, ordinal: null, set: deployment });
    }
  }

  #createPod({
    name,
    component,
    ordinal,
    set,
  }: Pick<WorldPod, 'name' | 'component' | 'ordinal'> & { set: WorldObject }): void {
    this.pods.set(name, {
      ...{ name, component, ordinal, uid: this.#uid(), claim: null, config: {} },
      revision: revisionOf(set.applied),
      image: imageOf(set.applied),
      phase: 'pending',
      isTerminating: false,
      since: this.outside.nowText(),
      wasReady: false,
    });
  }

  /** Pods go, and pods come up, one step each. */
  kubelet(only?: number): void {
    const pods = [...this.pods.values()];
    const chosen = only === undefined ? pods : pods.slice(only % (pods.length || 1)).slice(0, 1);
    for (const pod of chosen) {
      if (pod.isTerminating) this.pods.delete(pod.name);
      else if (pod.phase === 'pending') this.#start(pod);
    }
    this.#release();
  }

  #start(pod: WorldPod): void {
    if (isKeeper(pod.component)) {
      const claim = this.#claimFor(pod.component, pod.ordinal ?? 0);
      if (claim === null || !this.#bind(claim)) return;
      pod.claim = claim;
    }
    const config = this.objects.get('ConfigMap/demo-coordinator')?.applied['data'];
    pod.config = (config ?? {}) as Readonly<Record<string, string>>;
    pod.phase = pod.image === BAD_IMAGE ? 'broken' : 'running';
  }

  /** Made anew, and empty, where there is none; waited for where the one before is still going. */
  #claimFor(component: 'coordinator' | 'shard', ordinal: number): WorldClaim | null {
    const name = `data-demo-${component}-${ordinal}`;
    const there = this.claims.get(name);
    if (there !== undefined) return there.isTerminating ? null : there;
    const set = this.workload(component);
    const [template] = (specOf(set?.applied)['volumeClaimTemplates'] ?? []) as readonly { size: string }[];
    const made: WorldClaim = {
      ...{ name, component, ordinal, uid: this.#uid(), id: null, size: template?.size ?? '1Gi' },
      ...{ storageClass: STORAGE_CLASS, isBound: false, isTerminating: false, isFounded: false },
      isRemoved: false,
    };
    this.claims.set(name, made);
    return made;
  }

  /** Once its pod is there. */
  #bind(claim: WorldClaim): boolean {
    claim.isBound ||= this.storageClass !== 'missing';
    return claim.isBound;
  }

  #release(): void {
    const held = new Set([...this.pods.values()].map(({ claim }) => claim));
    for (const claim of [...this.claims.values()]) {
      if (claim.isTerminating && !held.has(claim)) this.claims.delete(claim.name);
    }
  }

  #uid(): string {
    return `uid-${++this.#uids}`;
  }
}

const kindOf = (component: Component): string =>
  component === 'gateway' || component === 'failure-detector' ? 'Deployment' : 'StatefulSet';
const specOf = (manifest: Manifest | undefined): Readonly<Record<string, unknown>> =>
  (manifest?.['spec'] ?? {}) as Readonly<Record<string, unknown>>;
const replicasIn = (manifest: Manifest): number => Number(specOf(manifest)['replicas'] ?? 0);
const imageOf = (manifest: Manifest): string =>
  String((specOf(manifest)['template'] as { image: string }).image);
const revisionOf = (manifest: Manifest): string => JSON.stringify(specOf(manifest)['template']);
