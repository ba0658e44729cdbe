/** What the planner is told of Kubernetes' objects. Pure. */
import { APPLIED_HASH_ANNOTATION } from '../planning/applied-hash.js';
import { COMPONENTS, refText } from '../planning/types.js';
import type { ClaimSeen, Component, Observed, PodSeen, WorkloadSeen } from '../planning/types.js';
import { BOOTSTRAP_KEYS } from '../resources/index.js';
import type { KubeObject } from '../kubernetes/kube-api.js';

const COMPONENT_LABEL = 'app.kubernetes.io/component';
const INSTANCE_LABEL = 'app.kubernetes.io/instance';
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index';
export const FOUNDED_ANNOTATION = 'ringleader.io/founded';
export const REMOVED_ANNOTATION = 'ringleader.io/removed';

type Status = Readonly<Record<string, unknown>>;
interface StatusCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly lastTransitionTime?: string;
}
interface ContainerStatus {
  readonly ready?: boolean;
  readonly started?: boolean;
  readonly state?: {
    readonly waiting?: { readonly reason?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
}

const statusOf = (object: KubeObject): Status => (object['status'] ?? {}) as Status;
const specOf = (object: KubeObject): Status => (object['spec'] ?? {}) as Status;
const textIn = (part: Status, field: string): string => {
  const text = part[field];
  return typeof text === 'string' ? text : '';
};
const numberIn = (part: Status, field: string): number => Number(part[field] ?? 0);

export function componentOf({ metadata: { labels } }: KubeObject): Component | null {
  return COMPONENTS.find((component) => component === labels?.[COMPONENT_LABEL]) ?? null;
}

export function podSeen(pod: KubeObject): PodSeen | null {
  const component = componentOf(pod);
  if (component === null) return null;
  const { name, uid, labels, creationTimestamp = '', deletionTimestamp } = pod.metadata;
  const index = labels?.[POD_INDEX_LABEL];
  const ready = conditionsOf(pod).find(({ type }) => type === 'Ready');
  const isReady = ready?.status === 'True';
  return {
    ...{ name, uid, component, isReady },
    ordinal: index === undefined ? null : Number(index),
    node: textIn(specOf(pod), 'nodeName'),
    isTerminating: deletionTimestamp !== undefined,
    revision: revisionOf(pod),
    createdAt: creationTimestamp,
    since: ready?.lastTransitionTime ?? creationTimestamp,
    trouble: isReady ? '' : troubleOf(pod),
  };
}

function revisionOf({ metadata: { labels = {} } }: KubeObject): string {
  return labels['controller-revision-hash'] ?? labels['pod-template-hash'] ?? '';
}

/** Those that pass by themselves are said only where there is nothing worse. */
const PASSING = ['ContainerCreating', 'PodInitializing'];

function troubleOf(pod: KubeObject): string {
  const status = statusOf(pod);
  const unscheduled = conditionsOf(pod).find(
    (condition) => condition.type === 'PodScheduled' && condition.status === 'False',
  );
  if (unscheduled !== undefined) return unscheduled.reason ?? 'Unschedulable';
  const containers = ['initContainerStatuses', 'containerStatuses'].flatMap(
    (field) => (status[field] ?? []) as readonly ContainerStatus[],
  );
  const waiting = containers.flatMap(({ state }) => state?.waiting?.reason ?? []);
  const failed = containers.flatMap(({ state }) =>
    state?.terminated !== undefined && state.terminated.exitCode !== 0
      ? (state.terminated.reason ?? 'Error')
      : [],
  );
  const reason = typeof status['reason'] === 'string' ? [status['reason']] : [];
  const grave = [...reason, ...waiting.filter((one) => !PASSING.includes(one)), ...failed];
  return grave[0] ?? waiting[0] ?? 'NotReady';
}

function conditionsOf(object: KubeObject): readonly StatusCondition[] {
  return (statusOf(object)['conditions'] ?? []) as readonly StatusCondition[];
}

/** Null for what StatefulSets do not call theirs: somebody's copy of a claim has its labels, and is nobody's to count or to delete. */
export function claimSeen(claim: KubeObject): ClaimSeen | null {
  const component = componentOf(claim);
  const { name, uid, labels = {}, annotations = {}, deletionTimestamp } = claim.metadata;
  const ordinal = Number(/-([1-9]\d*)$/.exec(name)?.[1]);
  if (component === null || name !== `data-${labels[INSTANCE_LABEL]}-${component}-${ordinal}`) return null;
  return {
    ...{ name, uid, component, ordinal },
    isTerminating: deletionTimestamp !== undefined,
    isBound: textIn(specOf(claim), 'volumeName') !== '',
    phase: textIn(statusOf(claim), 'phase'),
    size: sizeOf(claim),
    storageClass: textIn(specOf(claim), 'storageClassName'),
    isFounded: annotations[FOUNDED_ANNOTATION] === 'true',
    isRemoved: annotations[REMOVED_ANNOTATION] === 'true',
  };
}

function sizeOf(claim: KubeObject): string {
  const { resources } = specOf(claim) as { resources?: { requests?: { storage?: string } } };
  return resources?.requests?.storage ?? '';
}

/** Out of the ConfigMap that the coordinators are founded by; null while there is none. */
export function foundingSeen(objects: readonly KubeObject[], clusterName: string): Observed['founding'] {
  const map = objects.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === `${clusterName}-coordinator`,
  );
  const data = (map?.['data'] ?? {}) as Readonly<Record<string, string>>;
  const founders = Number(data[BOOTSTRAP_KEYS.founders]);
  const initialShards = Number(data[BOOTSTRAP_KEYS.initialShards]);
  return founders > 0 && initialShards > 0 ? { founders, initialShards } : null;
}

export function workloadSeen(object: KubeObject): WorkloadSeen {
  const status = statusOf(object);
  return {
    uid: object.metadata.uid,
    replicas: Number(specOf(object)['replicas'] ?? 1),
    readyReplicas: numberIn(status, 'readyReplicas'),
    updatedReplicas: numberIn(status, 'updatedReplicas'),
    updateRevision: textIn(status, 'updateRevision'),
    isCurrent: numberIn(status, 'observedGeneration') >= (object.metadata.generation ?? 0),
    images: imagesIn(object),
  };
}

function imagesIn(object: KubeObject): WorkloadSeen['images'] {
  const { template } = specOf(object) as { readonly template?: { readonly spec?: Status } };
  const containers = ['initContainers', 'containers'].flatMap(
    (field) =>
      (template?.spec?.[field] ?? []) as readonly { readonly name: string; readonly image: string }[],
  );
  return Object.fromEntries(containers.map(({ name, image }) => [name, image]));
}

export function workloadsSeen(
  objects: readonly KubeObject[],
  clusterName: string,
): Readonly<Partial<Record<Component, WorkloadSeen>>> {
  const found: Partial<Record<Component, WorkloadSeen>> = {};
  for (const object of objects) {
    const component = componentOf(object);
    if (component === null || object.metadata.name !== `${clusterName}-${component}`) continue;
    if (object.kind === 'StatefulSet' || object.kind === 'Deployment')
      found[component] = workloadSeen(object);
  }
  return found;
}

export function objectsSeen(
  objects: readonly KubeObject[],
  isAsApplied: (object: KubeObject, hash: string) => boolean,
): Observed['objects'] {
  return Object.fromEntries(
    objects.map((object) => {
      const { apiVersion = '', kind = '', metadata } = object;
      const appliedHash = metadata.annotations?.[APPLIED_HASH_ANNOTATION] ?? '';
      const seen = { uid: metadata.uid, appliedHash, isAsApplied: isAsApplied(object, appliedHash) };
      return [refText({ apiVersion, kind, name: metadata.name }), seen] as const;
    }),
  );
}
