/** What holds for every decision, by what it was decided on: said again here in other words than the planner's. */
import type { ConditionType } from '@ringleader/contracts';
import {
  type Action,
  type ClaimSeen,
  type DataPlaneSeen,
  type Decision,
  type Manifest,
  type Observed,
  type PodSeen,
  refText,
} from '../../src/planning/types.js';
import { Violation } from './violations.js';

type Of<Kind extends Action['kind']> = Extract<Action, { readonly kind: Kind }>;

export function checkDecision(observed: Observed, { actions, status }: Decision): void {
  const of = <Kind extends Action['kind']>(...kinds: Kind[]): Of<Kind>[] =>
    actions.filter((action): action is Of<Kind> => kinds.some((kind) => kind === action.kind));
  if (observed.cluster.metadata.deletionTimestamp === undefined) {
    if (observed.data === null) checkBlind(observed, actions);
    checkEvictions(observed, of('evict'));
    for (const action of of('apply', 'scale')) checkReplicas(observed, sizeOf(action));
    for (const { manifest } of of('apply')) checkImage(observed, manifest);
    for (const { uid } of of('deletePod')) checkDeletion(observed, uid);
    checkVolumes(observed, of('growClaim'), status);
  }
  checkGroup(observed, of('removeCoordinator', 'addCoordinator', 'replaceCoordinator'));
  for (const { shard } of of('drainShard')) checkDrain(observed, shard);
  const claims = of('deleteClaim').filter(({ member }) => member?.startsWith('shard') === true);
  if (claims.length > 0 && (observed.data?.shards.length ?? 0) === 0) {
    throw new Violation('no volume goes that is needed', 'nobody could say whether it is');
  }
}

/** Of each volume that is otherwise than asked for people hear, or it is made so; nothing is asked that must be refused. */
function checkVolumes(
  observed: Observed,
  growths: readonly Of<'growClaim'>[],
  status: Decision['status'],
): void {
  const { cluster, claims } = observed;
  const { finalizers = [], annotations = {} } = cluster.metadata;
  const { shards, coordinators } = cluster.spec;
  if (finalizers.length === 0 || 'ringleader.io/paused' in annotations) return;
  for (const claim of claims.filter(({ isTerminating }) => !isTerminating)) {
    const asked = (claim.component === 'shard' ? shards : coordinators).storage.size;
    if (growths.some(({ uid }) => uid === claim.uid)) checkGrowth(observed, claim);
    else if (claim.size !== asked) checkSays(status, 'Progressing', claim);
    if (!claim.isBound && observed.missingClasses.includes(claim.storageClass))
      checkSays(status, 'Degraded', claim);
  }
}

function checkGrowth(
  { fixedClasses, missingClasses }: Observed,
  { name, isBound, storageClass }: ClaimSeen,
): void {
  if (!isBound || [...fixedClasses, ...missingClasses].includes(storageClass))
    throw new Violation('asks for no volume what it cannot have', name);
}

function checkSays(
  { conditions = [] }: Decision['status'],
  type: ConditionType,
  { name, size }: ClaimSeen,
): void {
  if (!conditions.some((one) => one.type === type && one.message.includes(name)))
    throw new Violation('says which volumes are not as asked for', `${name} ${size}`);
}

/** Nobody answers: nothing is given up, and nobody who is ready is taken. */
function checkBlind(observed: Observed, actions: readonly Action[]): void {
  for (const action of actions) {
    if (GIVES_UP.includes(action.kind)) throw new Violation('nothing is given up unseen', action.kind);
    if (action.kind === 'evict' || action.kind === 'deletePod') {
      const pod = observed.pods.find(({ uid }) => uid === action.uid);
      if (pod?.isReady === true && pod.component !== 'nats')
        throw new Violation('nothing is given up unseen', `${pod.name} is ready`);
    }
    if (action.kind === 'apply' || action.kind === 'scale') checkBlindSize(observed, sizeOf(action));
  }
}
const GIVES_UP: readonly string[] = [
  ...['deleteClaim', 'removeShard', 'drainShard', 'removeCoordinator', 'replaceCoordinator'],
];

function checkBlindSize({ workloads, claims }: Observed, { ref, replicas }: Size): void {
  const component = (['coordinator', 'shard'] as const).find((one) => ref === `StatefulSet/demo-${one}`);
  const isFounded = claims.some((claim) => claim.isFounded);
  if (component !== undefined && isFounded && replicas < (workloads[component]?.replicas ?? 0))
    throw new Violation('nothing is given up unseen', `${component}: ${replicas}`);
  const { replicas: present = 0 } = (component && workloads[component]) ?? {};
  const back = claims.find(
    (claim) => claim.component === component && claim.isRemoved && claim.ordinal <= replicas,
  );
  if (back !== undefined && back.ordinal > present)
    throw new Violation('nobody comes back who was removed', back.name);
}

function checkEvictions(observed: Observed, evictions: readonly Of<'evict'>[]): void {
  for (const { uid } of evictions) {
    const pod = observed.pods.find((one) => one.uid === uid);
    if (pod === undefined) throw new Violation('evicts what is there', uid);
    const same = evictions.filter((one) => componentOf(observed.pods, one.uid) === pod.component);
    if (same.length > 1) throw new Violation('one pod at a time', `${same.length} of ${pod.component}`);
    if (!pod.isReady) continue;
    checkOthers(observed, pod);
    const { isCurrent = false, updateRevision } = observed.workloads[pod.component] ?? {};
    if (!isCurrent || pod.revision === updateRevision)
      throw new Violation('only what is out of date is rolled', pod.name);
    if (pod.component === 'shard') checkShard(observed, pod);
    if (pod.component === 'coordinator') checkLeader(observed, pod);
  }
}

function checkOthers({ pods, data, workloads }: Observed, pod: PodSeen): void {
  // A newcomer, or one that was removed, need not be there.
  const placed = (data?.shards ?? []).flatMap(({ shard, state }) => (state === 'joining' ? [] : shard));
  const members = data?.coordinators.members.map(({ name }) => name) ?? [];
  const counts = ({ component, ordinal }: PodSeen): boolean =>
    component === 'nats' ||
    (component === 'shard' && placed.length === 0) ||
    [...placed, ...members].includes(`${component}-${ordinal}`);
  const others = pods.filter((one) => one.component === pod.component && one !== pod && counts(one));
  const isDown = others.some(({ isReady, isTerminating }) => !isReady || isTerminating);
  const { replicas = 0 } = workloads[pod.component] ?? {};
  if (isDown || (pod.component === 'nats' && others.length + 1 < replicas))
    throw new Violation('one pod at a time', `${pod.name}, while others are down`);
}

function checkShard(observed: Observed, pod: PodSeen): void {
  const { data } = observed;
  if ((data?.shards.length ?? 0) > 0 && data?.plan?.paused !== true)
    throw new Violation('moves are paused while shards are rolled', pod.name);
  const lost = data?.shards.find(({ state, replicas }) => state === 'replaced' && replicas > 0);
  if (lost !== undefined)
    throw new Violation('what was lost is copied first', `${pod.name}, after ${lost.shard}`);
}

function checkLeader({ pods, data, workloads }: Observed, { component, ordinal, uid }: PodSeen): void {
  const rest = pods.filter(
    (one) =>
      one.component === component && one.uid !== uid && one.revision !== workloads[component]?.updateRevision,
  );
  const leads = data?.coordinators.leader === `coordinator-${ordinal}`;
  if (leads && rest.length > 0) throw new Violation('the leader comes last', `coordinator-${ordinal}`);
}

/** Past the budget only goes what does not run, or is nobody's any more. */
function checkDeletion({ pods, claims, nowMs, data }: Observed, uid: string): void {
  const pod = pods.find((one) => one.uid === uid);
  if (pod === undefined || (pod.trouble !== 'NotReady' && !pod.isReady)) return;
  const isSomebody = data === null || membersIn(data).includes(`${pod.component}-${pod.ordinal}`);
  const isFounded = claims.some((claim) => claim.isFounded);
  if (!isFounded || (!isSomebody && !pod.isReady)) return;
  if (nowMs - Date.parse(pod.since) < 300_000) throw new Violation('what runs is not deleted', pod.name);
}

const membersIn = ({ shards, coordinators }: DataPlaneSeen): string[] => [
  ...shards.map(({ shard }) => shard),
  ...coordinators.members.map(({ name }) => name),
];

const componentOf = (pods: readonly PodSeen[], uid: string): string | undefined =>
  pods.find((pod) => pod.uid === uid)?.component;

interface Size {
  /** As in StatefulSet/demo-shard; another object has no replicas. */
  readonly ref: string;
  readonly replicas: number;
}
function sizeOf(action: Of<'apply' | 'scale'>): Size {
  if (action.kind === 'scale') return { ref: refText(action.ref), replicas: action.replicas };
  const { kind, metadata, spec } = action.manifest;
  const { replicas = 0 } = (spec ?? {}) as { readonly replicas?: number };
  return { ref: `${kind}/${metadata.name}`, replicas };
}

/** Pods of members, and of shards that placement knows, are not scaled away; and none is made for a volume that goes. */
function checkReplicas(observed: Observed, size: Size): void {
  const known = observed.data === null ? [] : membersIn(observed.data);
  const lost = known.find((member) => isOf(size, member) && ordinalOf(member) > size.replicas);
  if (lost !== undefined)
    throw new Violation('pods of members stay', `${lost}, at ${size.replicas} replicas`);
  for (const { name, component, ordinal, isTerminating } of observed.claims) {
    const member = `${component}-${ordinal}`;
    if (!isTerminating || known.includes(member) || !isOf(size, member)) continue;
    if (ordinal > (observed.workloads[component]?.replicas ?? 0) && ordinal <= size.replicas)
      throw new Violation('no pod is made for a volume that goes', name);
  }
}
/** Where no image is named: that which was chosen, unless it is asked for another. */
function checkImage(observed: Observed, { metadata: { name }, spec }: Manifest): void {
  const { template } = (spec ?? {}) as { readonly template?: { readonly image: string } };
  const { images, nats } = observed.cluster.spec;
  const isNats = name === 'demo-nats';
  const isNamed = (isNats ? nats.managed?.image : images.ringleader) !== undefined;
  if (template === undefined || isNamed) return;
  const mayBe = unnamedImages(observed, isNats ? 'nats' : 'ringleader');
  if (mayBe.length > 0 && !mayBe.includes(template.image))
    throw new Violation('a newer operator rolls nothing', `${name} gets ${template.image}`);
}
function unnamedImages(
  { cluster, workloads, operatorImages }: Observed,
  which: 'nats' | 'ringleader',
): string[] {
  const { images } = cluster.status ?? {};
  const isOurs = (container: string): boolean =>
    (container === 'nats') === (which === 'nats') && container !== 'postgres';
  const runs = Object.values(workloads).flatMap((workload) =>
    Object.entries(workload.images).flatMap(([container, image]) => (isOurs(container) ? [image] : [])),
  );
  const asked = cluster.metadata.annotations?.['ringleader.io/choose-images'] ?? '';
  return [
    ...(images === undefined ? runs : [images[which]]),
    ...(asked > (images?.chosenAt ?? '') ? [operatorImages[which]] : []),
  ];
}

const ordinalOf = (member: string): number => Number(member.split('-').at(-1));
const isOf = ({ ref }: Size, member: string): boolean =>
  ref === `StatefulSet/demo-${member.slice(0, member.lastIndexOf('-'))}`;

function checkGroup({ data }: Observed, changes: readonly Action[]): void {
  if (changes.length > 1) throw new Violation('one change of the group at a time', 'two in one decision');
  for (const change of changes) {
    if (change.kind !== 'removeCoordinator' || data === null) continue;
    const { members, leader } = data.coordinators;
    const name = `coordinator-${change.seat}`;
    const staying = members.filter((member) => member.role !== 'learner' && member.name !== name);
    if (staying.filter(({ reachable }) => reachable).length <= staying.length / 2)
      throw new Violation('keeps the quorum', `removes ${name}`);
    if (leader === name) throw new Violation('leaders hand over first', name);
  }
}

function checkDrain({ data, cluster }: Observed, drained: string): void {
  const left = (data?.shards ?? []).filter(
    ({ shard, state, verdict }) => shard !== drained && state === 'active' && verdict !== 'down',
  );
  if (left.length < cluster.spec.replicationFactor)
    throw new Violation('keeps the replication factor', `drains ${drained}, ${left.length} are left`);
  const numbers = (data?.shards ?? []).map(({ shard }) => Number(shard.split('-')[1]));
  if (Number(drained.split('-')[1]) !== Math.max(...numbers))
    throw new Violation('the last shard goes first', drained);
}
