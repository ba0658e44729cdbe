/** What is told of a cluster: all of it from what was observed, so that it says the same for as long as nothing changes. */
import type { ClusterMemberStatus, MemberView, RingleaderClusterStatus } from '@ringleader/contracts';
import { compareBuild, valid } from 'semver';
import { shardSelector } from '../resources/names.js';
import { conditionsOf } from './conditions.js';
import type { Context } from './course.js';
import { isNumbered, memberName, placedShards, podsOf, seatedMembers } from './seen.js';
import { COMPONENTS, type Component, type Note, type Observed, type PodSeen } from './types.js';

export function statusOf(context: Context, notes: readonly Note[]): RingleaderClusterStatus {
  const { observed } = context;
  const { cluster, data } = observed;
  const clusterId = data?.clusterId ?? cluster.status?.clusterId ?? '';
  return {
    observedGeneration: cluster.metadata.generation,
    conditions: conditionsOf(context, notes),
    version: versionOf(observed),
    images: context.images.chosen,
    leader: data?.coordinators.leader ?? '',
    ready: readyText(context),
    phase: notes.find(({ kind }) => kind === 'doing')?.reason ?? notes[0]?.reason ?? 'Running',
    clusterId,
    coordinators: { ...counts(observed, 'coordinator'), founded: context.isFounded },
    shards: { ...counts(observed, 'shard'), selector: shardSelector(cluster) },
    gateways: counts(observed, 'gateway'),
    members: membersOf(observed),
    moves: movesOf(observed),
  };
}

function counts(observed: Observed, component: Component): { replicas: number; readyReplicas: number } {
  const { replicas = 0 } = observed.workloads[component] ?? {};
  const ready = podsOf(observed, component).filter(({ isReady }) => isReady).length;
  return { replicas, readyReplicas: ready };
}

function readyText({ observed, shape }: Context): string {
  const ready = observed.pods.filter(({ isReady, isTerminating }) => isReady && !isTerminating).length;
  const all = COMPONENTS.reduce((sum, component) => sum + shape.replicas[component], 0);
  return `${ready}/${all}`;
}

/** The oldest, as long as they differ. */
function versionOf({ data }: Observed): string {
  const versions = (data?.members ?? []).map(({ version }) => version).filter((version) => version !== '');
  const [first = ''] = versions.sort(compareVersions);
  return first;
}

/** A text that is no version is older than any that is one. */
export const compareVersions = (a: string, b: string): number =>
  valid(a) !== null && valid(b) !== null
    ? compareBuild(a, b)
    : Number(valid(a) !== null) - Number(valid(b) !== null) || (a < b ? -1 : 1);

function membersOf(observed: Observed): ClusterMemberStatus[] {
  return COMPONENTS.flatMap((component) =>
    [...podsOf(observed, component)]
      .sort((a, b) => (a.ordinal ?? 0) - (b.ordinal ?? 0) || (a.name < b.name ? -1 : 1))
      .map((pod) => memberStatus(observed, component, pod)),
  );
}

function memberStatus(observed: Observed, component: Component, pod: PodSeen): ClusterMemberStatus {
  const name = isNumbered(component) ? memberName(component, pod.ordinal ?? 0) : pod.name;
  const view = observed.data?.members.find(({ service, id }) => service === component && id === name);
  const placed = placedShards(observed)?.find(({ shard }) => shard === name);
  return {
    name,
    role: roleOf(observed, component, name),
    pod: pod.name,
    ready: pod.isReady,
    version: view?.version ?? '',
    verdict: verdictOf(view),
    ...(placed === undefined
      ? { state: '', partitions: 0, leaders: 0 }
      : { state: placed.state, partitions: placed.replicas, leaders: placed.leaders }),
  };
}

function roleOf(observed: Observed, component: Component, name: string): ClusterMemberStatus['role'] {
  if (component !== 'coordinator') return component;
  const members = seatedMembers(observed)?.filter((member) => member.name === name) ?? [];
  // At one seat there may be two, while one takes the place of the other.
  return members.find(({ reachable }) => reachable)?.role ?? members[0]?.role ?? 'learner';
}

function verdictOf(view: MemberView | undefined): ClusterMemberStatus['verdict'] {
  return view?.verdict ?? 'unknown';
}

function movesOf({ data }: Observed): NonNullable<RingleaderClusterStatus['moves']> {
  const plan = data?.plan ?? null;
  if (plan === null) return { underWay: 0, planned: 0, bytesLeft: 0, paused: false, blocked: '' };
  const underWay = plan.moves.filter(({ phase }) => phase !== 'planned').length;
  return {
    underWay,
    planned: plan.movesTotal - underWay,
    bytesLeft: plan.bytesTotal,
    paused: plan.paused,
    blocked: plan.blocked ?? '',
  };
}
