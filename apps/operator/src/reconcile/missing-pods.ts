/**
 * Why pods that are asked for are not made, as Kubernetes' controllers say it: of a quota, or of an admission policy. That of a Deployment
 * says it in a condition, that of a StatefulSet in events and nowhere else.
 */
import { EVENTS } from '../kubernetes/kinds.js';
import type { KubeApi, KubeObject } from '../kubernetes/kube-api.js';
import { isRefusal } from '../kubernetes/kube-error.js';
import type { Component, Observed } from '../planning/types.js';
import { componentOf } from './observation.js';

/** Longer than the controller waits at most before it tries again. */
const RECENT_MS = 1_200_000;

interface Workload extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    /** Pods that there are. */
    readonly replicas?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
  };
}

/** The two APIs of events write down the time in their own fields. */
interface KubeEvent extends KubeObject {
  readonly note?: string;
  readonly eventTime?: string | null;
  readonly deprecatedLastTimestamp?: string | null;
  readonly series?: { readonly lastObservedTime?: string } | null;
}

export async function whyPodsMissing(
  owned: readonly KubeObject[],
  api: Pick<KubeApi, 'list'>,
  nowMs: number,
): Promise<Observed['whyMissing']> {
  const found: Partial<Record<Component, string>> = {};
  for (const workload of owned as readonly Workload[]) {
    const component = componentOf(workload);
    const { spec, status } = workload;
    if (component === null || (status?.replicas ?? 0) >= (spec?.replicas ?? 1)) continue;
    const why = await whyOf(workload, api, nowMs);
    if (why !== null) found[component] = why;
  }
  return found;
}

async function whyOf(workload: Workload, api: Pick<KubeApi, 'list'>, nowMs: number): Promise<string | null> {
  if (workload.kind === 'Deployment') {
    const failure = workload.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
    return failure?.status === 'True' ? (failure.message ?? null) : null;
  }
  if (workload.kind !== 'StatefulSet') return null;
  const { uid, namespace = '' } = workload.metadata;
  const fieldSelector = `regarding.uid=${uid},reason=FailedCreate`;
  try {
    const { items } = await api.list(EVENTS, { namespace, fieldSelector });
    return failureIn(items, nowMs);
  } catch (error) {
    // Who may not look says only that they are missing.
    if (isRefusal(error)) return null;
    throw error;
  }
}

/** Of several pods always the same one's, whichever was tried last. */
export function failureIn(events: readonly KubeEvent[], nowMs: number): string | null {
  const notes = events
    .filter((event) => nowMs - lastSeenMs(event) < RECENT_MS)
    .flatMap(({ note = '' }) => (note === '' ? [] : [note]));
  return notes.sort()[0] ?? null;
}

function lastSeenMs({ series, deprecatedLastTimestamp, eventTime, metadata }: KubeEvent): number {
  const times = [series?.lastObservedTime, deprecatedLastTimestamp, eventTime, metadata.creationTimestamp];
  return Math.max(0, ...times.map((time) => Date.parse(time ?? '')).filter(Number.isFinite));
}
