/**
 * What the API server refuses and will go on refusing, as a volume that its class does not let grow, a port that is taken, or more than a
 * quota allows. It ends what builds on it, and nothing else: a cluster that cannot have a larger volume must still be able to replace a
 * lost one. People are told of it until it is over.
 */
import type { RingleaderClusterStatus } from '@ringleader/contracts';
import { CONDITION_MESSAGE_MAX } from './conditions.js';
import type { Action, Manifest, Observed } from './types.js';

/** As the API server says it. */
export interface Refusal {
  /** Of a condition: UpperCamelCase. */
  readonly reason: string;
  /** The same for as long as it is refused. */
  readonly message: string;
}

const WORKLOADS: readonly string[] = ['StatefulSet', 'Deployment'];
/** Without which pods are not to begin. */
const UNDER_PODS: readonly string[] = ['ServiceAccount', 'ConfigMap'];

/** All others are steps of one course: what comes after them rests on their having been done. */
export function endsOnlyWhatBuildsOnIt({ kind }: Action): boolean {
  return kind === 'apply' || kind === 'growClaim' || kind === 'evict';
}

/** When the coordinators may refuse it for as long as one of them is silent: nothing of what comes after rests on it. */
export const changesGroup = ({ kind }: Action): boolean =>
  kind === 'addCoordinator' ||
  kind === 'removeCoordinator' ||
  kind === 'replaceCoordinator' ||
  kind === 'transferLeader';

export function buildsOn(next: Action, refused: Action): boolean {
  if (next.kind !== 'apply' || refused.kind !== 'apply' || !WORKLOADS.includes(next.manifest.kind))
    return false;
  // No pod begins without the policies that say who may reach it.
  if (refused.manifest.kind === 'NetworkPolicy') return true;
  return UNDER_PODS.includes(refused.manifest.kind) && partOf(refused.manifest) === partOf(next.manifest);
}

const partOf = ({ metadata: { labels } }: Manifest): string | undefined =>
  labels?.['app.kubernetes.io/component'];

/** The status with what was refused in it: something is wrong that the operator cannot mend. */
export function withRefusals(
  status: RingleaderClusterStatus,
  refusals: readonly Refusal[],
  { cluster, nowMs }: Pick<Observed, 'cluster' | 'nowMs'>,
): RingleaderClusterStatus {
  const [first] = refusals;
  if (first === undefined) return status;
  const before = cluster.status?.conditions?.find(({ type }) => type === 'Degraded');
  const said = status.conditions?.find((one) => one.type === 'Degraded' && one.status === 'True');
  const message = [...new Set(refusals.map((refusal) => refusal.message)), ...(said ? [said.message] : [])];
  const degraded = {
    type: 'Degraded',
    status: 'True',
    reason: first.reason,
    message: message.join('. ').slice(0, CONDITION_MESSAGE_MAX),
    observedGeneration: cluster.metadata.generation,
    lastTransitionTime: before?.status === 'True' ? before.lastTransitionTime : new Date(nowMs).toISOString(),
  } as const;
  const others = (status.conditions ?? []).filter(({ type }) => type !== 'Degraded');
  return { ...status, conditions: [...others, degraded] };
}
