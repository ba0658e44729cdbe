/**
 * Does what the planner has decided. What it was decided on may be older than the world: so the API server and the coordinators
 * are asked again, past all caches, before what cannot be taken back (planning/types.ts says before what).
 */
import { CLUSTER_KEY, OperationalError } from '@ringleader/contracts';
import type { ErrorCode, PlacementCommand, RingleaderCluster } from '@ringleader/contracts';
import { CLAIMS, CLUSTERS, PODS, kindOf } from '../kubernetes/kinds.js';
import type { KubeApi, KubeObject, NewObject, Place } from '../kubernetes/kube-api.js';
import { KubeError, isConflict, isGone, isNotNow } from '../kubernetes/kube-error.js';
import { APPLIED_HASH_ANNOTATION } from '../planning/applied-hash.js';
import { isPaused } from '../planning/asked.js';
import { CLUSTER_FINALIZER } from '../planning/deletion.js';
import type { Action } from '../planning/types.js';
import type { Coordinators } from './data-plane.js';
import { NotNow } from './not-now.js';
import { refuseOthers } from './ownership.js';
import { FOUNDED_ANNOTATION, REMOVED_ANNOTATION, claimSeen, podSeen, workloadSeen } from './observation.js';

type Of<Kind extends Action['kind']> = Extract<Action, { readonly kind: Kind }>;

/** The cluster as it was observed, and what is needed to do something about it. */
export interface Scene {
  readonly cluster: RingleaderCluster;
  /** Null while they cannot be reached. */
  readonly coordinators: Coordinators | null;
}

/** What is known without asking. */
export interface Known {
  get(place: Place): KubeObject | undefined;
  /** An object as the API server has answered. */
  note(object: KubeObject): void;
  /** That the live object has all of this: true when nothing needs to be written. */
  hasAlready(live: KubeObject, manifest: NewObject): boolean;
  applied(object: KubeObject, manifest: NewObject): void;
}

const SOON_MS = 1_000;
const LATER_MS = 5_000;
const TWO_BUDGETS = /more than one PodDisruptionBudget/;

/** Codes with which the coordinators say that it is not the time, or that what was seen is stale. */
const NOT_NOW: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'PRECONDITION_FAILED',
  'CHANGE_UNDER_WAY',
  'MEMBER_LAGGING',
  'NO_APPLICANT',
  'UNAVAILABLE',
  'OVERLOADED',
  'DEADLINE_EXCEEDED',
  'OUTCOME_UNKNOWN',
  'NOT_LEADER',
  'QUORUM_AT_RISK',
  'SHARD_HOLDS_DATA',
  'REPLICATION_AT_RISK',
]);

export class Executor {
  constructor(
    private readonly api: KubeApi,
    private readonly known: Known,
  ) {}

  /** Throws NotNow where the round is to end without having failed. Answers whether anything was written. */
  async do(action: Action, scene: Scene): Promise<boolean> {
    try {
      return await this.#do(action, scene);
    } catch (error) {
      if (isConflict(error))
        throw new NotNow(`${action.kind}: it has changed meanwhile`, SOON_MS, { cause: error });
      if (error instanceof OperationalError && NOT_NOW.has(error.code))
        throw new NotNow(`${action.kind}: ${error.message}`, LATER_MS, { cause: error });
      throw error;
    }
  }

  async #do(action: Action, scene: Scene): Promise<boolean> {
    switch (action.kind) {
      case 'apply':
        return this.#apply(action, scene);
      case 'scale':
        await this.#scale(action, scene);
        return true;
      case 'deleteObject':
      case 'evict':
      case 'deletePod':
      case 'deleteClaim':
        return this.#remove(action, scene);
      case 'growClaim':
      case 'markFounded':
      case 'markRemoved':
        await this.#changeClaims(action, scene);
        return true;
      case 'addFinalizer':
      case 'removeFinalizer':
        return this.#changeFinalizer(action.kind === 'addFinalizer', scene);
      default:
        await this.#askCoordinators(action, scene);
        return true;
    }
  }

  async #apply({ manifest, hash }: Of<'apply'>, { cluster }: Scene): Promise<boolean> {
    const { namespace } = cluster.metadata;
    const kind = kindOf(manifest);
    const { name, annotations } = manifest.metadata;
    const body: NewObject = {
      ...manifest,
      metadata: { ...manifest.metadata, annotations: { ...annotations, [APPLIED_HASH_ANNOTATION]: hash } },
    };
    const live = await this.#ours({ kind, namespace, name }, cluster);
    if (live !== undefined && this.known.hasAlready(live, body)) {
      this.known.applied(live, body);
      return false;
    }
    if (live !== undefined && kind.kind === 'StatefulSet') {
      const { replicas } = (body['spec'] ?? {}) as { readonly replicas?: number };
      await this.#checkShrink(live, replicas, cluster);
    }
    const object = await this.api.apply(kind, namespace, body);
    this.known.note(object);
    this.known.applied(object, body);
    return true;
  }

  /** What is not known may be somebody else's, who has not our labels: it would be taken over. */
  async #ours(place: Place, cluster: RingleaderCluster): Promise<KubeObject | undefined> {
    const live = this.known.get(place) ?? (await this.api.find(place)) ?? undefined;
    if (live !== undefined) refuseOthers({ kind: place.kind.kind, ...live }, cluster);
    return live;
  }

  async #checkShrink(
    live: KubeObject,
    replicas: number | undefined,
    cluster: RingleaderCluster,
  ): Promise<void> {
    if (replicas !== undefined && replicas < workloadSeen(live).replicas) await this.#checkCluster(cluster);
  }

  async #scale({ ref, uid, replicas }: Of<'scale'>, { cluster }: Scene): Promise<void> {
    const place = { kind: kindOf(ref), namespace: cluster.metadata.namespace, name: ref.name };
    const body = { metadata: { uid }, spec: { replicas } };
    const live = this.known.get(place);
    if (live !== undefined && ref.kind === 'StatefulSet') await this.#checkShrink(live, replicas, cluster);
    this.known.note(await this.api.merge(place, body));
  }

  /** An eviction that the budget does not allow now is no failure, and ends nothing: false. */
  async #remove(
    action: Of<'deleteObject' | 'evict' | 'deletePod' | 'deleteClaim'>,
    scene: Scene,
  ): Promise<boolean> {
    try {
      await this.#delete(action, scene);
      return true;
    } catch (error) {
      if (action.kind === 'evict' && isNotNow(error)) return false;
      if (!isGone(error)) throw error;
      return true;
    }
  }

  async #delete(
    action: Of<'deleteObject' | 'evict' | 'deletePod' | 'deleteClaim'>,
    scene: Scene,
  ): Promise<void> {
    const { namespace } = scene.cluster.metadata;
    switch (action.kind) {
      case 'deleteObject': {
        const kind = kindOf(action.ref);
        const place = { kind, namespace: action.ref.namespace ?? namespace, name: action.ref.name };
        return await this.api.delete(place, action.uid, action.leavesPods ? 'Orphan' : 'Background');
      }
      case 'evict':
        return await this.#evict({ kind: PODS, namespace, name: action.pod }, action.uid);
      case 'deletePod':
        return await this.#deletePod(action, scene);
      case 'deleteClaim':
        await this.#checkCluster(scene.cluster);
        if (action.member !== null) await checkIsGone(action.member, scene.coordinators);
        else await this.#checkMayGo(action.claim, scene.cluster);
        return await this.api.delete({ kind: CLAIMS, namespace, name: action.claim }, action.uid);
    }
  }

  /** Where volumes are kept, only what has none goes. */
  async #checkMayGo(name: string, { metadata: { namespace }, spec }: RingleaderCluster): Promise<void> {
    if (spec.deletionPolicy === 'Delete') return;
    const live = await this.api.find({ kind: CLAIMS, namespace, name });
    if (live !== null && claimSeen(live)?.isBound !== false)
      throw new NotNow(`${name} has a volume now`, SOON_MS);
  }

  /** Of a pod with two budgets the API server says that it were its own fault (500): it refuses, for as long as there are two. */
  async #evict(place: Place, uid: string): Promise<void> {
    try {
      await this.api.evict(place, uid);
    } catch (error) {
      if (!(error instanceof KubeError) || !TWO_BUDGETS.test(error.message)) throw error;
      throw new KubeError(422, 'TwoBudgets', error.message, { cause: error });
    }
  }

  async #deletePod({ pod: name, uid }: Of<'deletePod'>, { cluster: { metadata } }: Scene): Promise<void> {
    const place = { kind: PODS, namespace: metadata.namespace, name };
    const pod = await this.api.get(place);
    const isAll = metadata.deletionTimestamp !== undefined;
    if (podSeen(pod)?.isReady === true && !isAll) throw new NotNow(`${name} is ready now`, SOON_MS);
    await this.api.delete(place, uid);
  }

  async #changeClaims(
    action: Of<'growClaim' | 'markFounded' | 'markRemoved'>,
    { cluster, coordinators }: Scene,
  ): Promise<void> {
    const { namespace } = cluster.metadata;
    const merge = async (name: string, body: object): Promise<void> =>
      this.known.note(await this.api.merge({ kind: CLAIMS, namespace, name }, body));
    if (action.kind === 'growClaim') {
      const spec = { resources: { requests: { storage: action.size } } };
      return merge(action.claim, { metadata: { uid: action.uid }, spec });
    }
    if (action.kind === 'markRemoved') {
      await this.#checkCluster(cluster);
      await checkIsGone(action.member, coordinators);
      const annotations = { [REMOVED_ANNOTATION]: 'true' };
      return merge(action.claim, { metadata: { uid: action.uid, annotations } });
    }
    const annotations = { [FOUNDED_ANNOTATION]: 'true', [REMOVED_ANNOTATION]: null };
    for (const claim of action.claims) await merge(claim, { metadata: { annotations } });
  }

  async #changeFinalizer(isWanted: boolean, { cluster }: Scene): Promise<boolean> {
    const place = placeOf(cluster);
    const live = await this.api.find(place);
    if (live === null || live.metadata.uid !== cluster.metadata.uid) return false;
    const { finalizers = [], resourceVersion } = live.metadata;
    if (finalizers.includes(CLUSTER_FINALIZER) === isWanted) {
      this.known.note(live);
      return false;
    }
    const others = finalizers.filter((one) => one !== CLUSTER_FINALIZER);
    const wanted = isWanted ? [...others, CLUSTER_FINALIZER] : others;
    this.known.note(await this.api.merge(place, { metadata: { resourceVersion, finalizers: wanted } }));
    return true;
  }

  async #askCoordinators(
    action: Exclude<
      Action,
      Of<
        | 'apply'
        | 'scale'
        | 'deleteObject'
        | 'evict'
        | 'deletePod'
        | 'deleteClaim'
        | 'growClaim'
        | 'markFounded'
        | 'markRemoved'
        | 'addFinalizer'
        | 'removeFinalizer'
      >
    >,
    { cluster, coordinators }: Scene,
  ): Promise<void> {
    if (coordinators === null) throw new NotNow('the coordinators cannot be reached', LATER_MS);
    if (TAKES_AWAY.has(action.kind)) await this.#checkCluster(cluster);
    try {
      await ask(action, coordinators);
    } catch (error) {
      // Done by an attempt before, whose answer was lost.
      if (!(error instanceof OperationalError && error.code === 'ALREADY_SO')) throw error;
    }
  }

  /** Whether this is still what was asked for when it was looked at. */
  async #checkCluster({ metadata }: RingleaderCluster): Promise<void> {
    const live = await this.api.find(placeOf({ metadata }));
    const isSame =
      live !== null &&
      live.metadata.uid === metadata.uid &&
      live.metadata.generation === metadata.generation &&
      live.metadata.deletionTimestamp === metadata.deletionTimestamp;
    // Which changes no generation; one that is to go waits for nobody.
    if (isSame && isPaused(live) && metadata.deletionTimestamp === undefined)
      throw new NotNow('the cluster was paused since it was looked at', SOON_MS);
    if (!isSame) throw new NotNow('the cluster has changed since it was looked at', SOON_MS);
  }
}

const TAKES_AWAY: ReadonlySet<Action['kind']> = new Set<Action['kind']>([
  'drainShard',
  'removeShard',
  'removeCoordinator',
  'replaceCoordinator',
]);

const placeOf = ({ metadata: { namespace, name } }: Pick<RingleaderCluster, 'metadata'>): Place => ({
  kind: CLUSTERS,
  namespace,
  name,
});

/** Of a shard or coordinator whose volume is to be deleted. */
async function checkIsGone(member: string, coordinators: Coordinators | null): Promise<void> {
  if (coordinators === null) throw new NotNow('the coordinators cannot be reached', LATER_MS);
  const { members } = await coordinators.members();
  const names = members.map(({ name }) => name);
  if (member.startsWith('shard-')) {
    const { items } = await coordinators.range({ key: CLUSTER_KEY });
    if (items.length === 0) throw new NotNow('the cluster was not founded yet', LATER_MS);
    const { shards } = await coordinators.ask('placement', {});
    if (shards.length === 0) throw new NotNow('there is no partition map yet', LATER_MS);
    names.push(...shards.map(({ shard }) => shard));
  }
  if (names.includes(member)) throw new NotNow(`${member} is in the cluster still`, LATER_MS);
}

type Asked = Of<
  | 'drainShard'
  | 'undrainShard'
  | 'removeShard'
  | 'pauseMoves'
  | 'resumeMoves'
  | 'addCoordinator'
  | 'removeCoordinator'
  | 'replaceCoordinator'
  | 'transferLeader'
>;

async function ask(action: Asked, coordinators: Coordinators): Promise<void> {
  const change = (command: PlacementCommand, ifEpoch: number): Promise<unknown> =>
    coordinators.ask('changePlacement', { command, ifEpoch });
  switch (action.kind) {
    case 'drainShard':
      return void (await change({ kind: 'drain', shard: action.shard }, action.ifEpoch));
    case 'undrainShard':
      return void (await change({ kind: 'undrain', shard: action.shard }, action.ifEpoch));
    case 'removeShard':
      return void (await change({ kind: 'remove', shard: action.shard }, action.ifEpoch));
    case 'pauseMoves':
      return void (await change({ kind: 'pause', by: 'operator' }, action.ifEpoch));
    case 'resumeMoves':
      return void (await change({ kind: 'resume', by: 'operator' }, action.ifEpoch));
    case 'transferLeader':
      return void (await coordinators.transferLeader(action.to === null ? {} : { to: action.to }));
    case 'addCoordinator':
    case 'removeCoordinator':
    case 'replaceCoordinator': {
      const kind = CHANGES[action.kind];
      return void (await coordinators.changeMembers({ kind, seat: action.seat, ifIndex: action.ifIndex }));
    }
  }
}

const CHANGES = {
  addCoordinator: 'add',
  removeCoordinator: 'remove',
  replaceCoordinator: 'replace',
} as const;
