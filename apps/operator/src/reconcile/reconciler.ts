/**
 * One look at one cluster: what is there, what is to be done, doing it, and the status last. All that it knows of the world it
 * reads anew each time; that it is called too often or too late costs nothing but time.
 */
import { isDeepStrictEqual } from 'node:util';
import { OperationalError } from '@ringleader/contracts';
import type { RingleaderCluster, RingleaderClusterStatus } from '@ringleader/contracts';
import type { Logger } from '@ringleader/observability';
import { NOT_LEADER } from '../kubernetes/fence.js';
import type { EventRecorder } from '../kubernetes/events.js';
import { CLAIMS, CLUSTERS, NAMESPACES, PODS, SECRETS } from '../kubernetes/kinds.js';
import type { KubeApi, KubeObject } from '../kubernetes/kube-api.js';
import { KubeError, isConflict, isGone, isRefusal } from '../kubernetes/kube-error.js';
import type { Watches } from '../kubernetes/watches.js';
import type { OperatorMetrics } from '../operator-metrics.js';
import { isPaused } from '../planning/asked.js';
import { decide } from '../planning/decide.js';
import { buildsOn, changesGroup, endsOnlyWhatBuildsOnIt, withRefusals } from '../planning/refusals.js';
import type { Refusal } from '../planning/refusals.js';
import type { Action, Images, Observed, OwnedObjects } from '../planning/types.js';
import type { Credentials, CredentialsKeeper } from './credentials.js';
import { clusterOf, departingOf } from './custom-resource.js';
import type { DataPlanes } from './data-planes.js';
import type { Executor } from './executor.js';
import { issuedSecrets } from './issued-secrets.js';
import { disownSecrets } from './kept-secrets.js';
import { whyPodsMissing } from './missing-pods.js';
import { NotNow } from './not-now.js';
import { claimSeen, foundingSeen, objectsSeen, podSeen, workloadsSeen } from './observation.js';
import { classesSeen } from './storage-classes.js';
import { annotateZones } from './zones.js';

export interface ReconcilerParts {
  readonly api: KubeApi;
  readonly watches: Watches;
  readonly planes: DataPlanes;
  readonly credentials: CredentialsKeeper;
  /** That makes nothing. */
  readonly credentialsReader: CredentialsKeeper;
  readonly executor: Executor;
  readonly events: EventRecorder;
  readonly metrics: OperatorMetrics;
  readonly wanted: OwnedObjects;
  readonly operatorImages: () => Images;
  readonly logger: Logger;
}

interface Scene {
  readonly cluster: RingleaderCluster;
  readonly isNamespaceTerminating: boolean;
  /** It is deleted, by itself or with its namespace. */
  readonly isDeparting: boolean;
  /** Nothing is made or changed for it. */
  readonly isLeftAlone: boolean;
}

interface Trouble {
  readonly reason: string;
  readonly error: Error;
}

interface Outcome {
  readonly hasWritten: boolean;
  readonly refused: readonly Trouble[];
  readonly error: Error | null;
}

/** What was done is seen soon; then it is looked at again, in case that is not heard. */
const AFTER_DOING_MS = 2_000;
const AFTER_CONFLICT_MS = 500;

export class Reconciler {
  constructor(private readonly parts: ReconcilerParts) {}

  /** Answers when to look again; null: when something is heard. */
  async reconcile(key: string): Promise<number | null> {
    const { watches, planes, metrics } = this.parts;
    const live = watches.cluster(key);
    if (live === undefined) {
      const [namespace = '', name = ''] = key.split('/');
      metrics.wantsNoGateways({ namespace, name });
      metrics.forget(namespace, planes.certificates(key));
      await planes.forget(key);
      return null;
    }
    const startedAt = performance.now();
    try {
      return await this.#reconcile(key, live);
    } catch (error) {
      if (error instanceof NotNow) return error.afterMs;
      // It leads again soon, or ends.
      if (error instanceof KubeError && error.reason === NOT_LEADER) return AFTER_DOING_MS;
      metrics.failed();
      await this.#warn(live, 'ReconcileFailed', error);
      throw error;
    } finally {
      metrics.reconciled((performance.now() - startedAt) / 1_000);
    }
  }

  async #reconcile(key: string, live: KubeObject): Promise<number | null> {
    const scene = await this.#sceneOf(key, live);
    const { cluster, isNamespaceTerminating, isLeftAlone } = scene;
    this.#tellGateways(scene);
    const amiss = isNamespaceTerminating ? [] : await this.#prepare(key, live, scene);
    const observed = await this.#observe(key, cluster, {
      isNamespaceTerminating,
      secretHashes: this.parts.planes.hashes(key),
    });
    const decision = decide(observed, this.parts.wanted);
    // Of whom it is not known what its pods are to be rolled for, nothing is changed.
    const isSure = amiss.length === 0 || isLeftAlone;
    const outcome = await this.#act(key, isSure ? decision.actions : [], cluster, live);
    const refusals = [...amiss, ...outcome.refused].map(refusalOf);
    await this.#writeStatus(key, cluster, withRefusals(decision.status, refusals, observed));
    const failures = [
      outcome.error,
      ...(isLeftAlone ? [] : amiss).map(errorOf),
      ...outcome.refused.map(errorOf),
    ];
    const failure = failures.find((one) => one !== null);
    if (failure !== undefined) throw failure;
    return outcome.hasWritten ? AFTER_DOING_MS : decision.lookAgainMs;
  }

  #tellGateways({ cluster: { metadata, spec }, isDeparting }: Scene): void {
    const { metrics } = this.parts;
    if (isDeparting) metrics.wantsNoGateways(metadata);
    else metrics.wantsGateways(metadata, spec.gateways.replicas);
  }

  async #sceneOf(key: string, live: KubeObject): Promise<Scene> {
    const isNamespaceTerminating = await this.#isTerminating(live.metadata.namespace ?? '');
    const isDeparting = isNamespaceTerminating || live.metadata.deletionTimestamp !== undefined;
    const cluster = isDeparting ? departingOf(live) : await this.#valid(key, live);
    const isLeftAlone = isDeparting || isPaused(cluster);
    return { cluster, isNamespaceTerminating, isDeparting, isLeftAlone };
  }

  /** Answers what is amiss with what the cluster needs before anything can be decided. */
  async #prepare(
    key: string,
    live: KubeObject,
    { cluster, isDeparting, isLeftAlone }: Scene,
  ): Promise<readonly Trouble[]> {
    const amiss = await this.#credentials(key, cluster, isLeftAlone);
    await this.#zones(key, cluster, live);
    if (isDeparting || !isLeftAlone) await this.#disown(key, cluster);
    return amiss;
  }

  /** Its owner is told why nothing is done about it; what was told before stays true as far as anybody knows. */
  async #valid(key: string, live: KubeObject): Promise<RingleaderCluster> {
    try {
      return clusterOf(live);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      const cluster = departingOf(live);
      const before = { ...cluster.status, observedGeneration: cluster.metadata.generation };
      const refusal = { reason: 'SpecificationInvalid', message: error.message };
      await this.#writeStatus(key, cluster, withRefusals(before, [refusal], { cluster, nowMs: Date.now() }));
      throw error;
    }
  }

  /** Of a cluster that is left alone they are read, as far as they are there: what is amiss with them must not keep it from going. */
  async #credentials(
    key: string,
    cluster: RingleaderCluster,
    isLeftAlone: boolean,
  ): Promise<readonly Trouble[]> {
    const { credentials: keeper, credentialsReader: reader, watches, planes, metrics } = this.parts;
    let credentials: Credentials;
    try {
      credentials = await (isLeftAlone ? reader : keeper).keep(cluster, watches.optionalKinds);
    } catch (error) {
      if (isLeftAlone && error instanceof NotNow) return [];
      if (!(error instanceof OperationalError || isRefusal(error))) throw error;
      return [{ reason: 'CredentialsInvalid', error }];
    }
    const { namespace, name } = cluster.metadata;
    const { expiresAtMs } = credentials;
    metrics.forget(
      namespace,
      planes.certificates(key).filter((secret) => !(secret in expiresAtMs)),
    );
    metrics.expires(namespace, expiresAtMs);
    await planes.know(key, name, credentials);
    return [];
  }

  async #zones(key: string, cluster: RingleaderCluster, live: KubeObject): Promise<void> {
    const { api, watches, events } = this.parts;
    const pods = watches.ofCluster(PODS, key);
    const without = await annotateZones(cluster, pods, api, (object) => watches.note(object));
    for (const node of new Set(without)) {
      const { zoneTopologyKey } = cluster.spec.shards;
      const note = `the node ${node} has no label ${zoneTopologyKey}: its shards are in no zone`;
      await events.tell(live, { type: 'Warning', action: 'AnnotateZone', reason: 'NoZone', note });
    }
  }

  async #disown(key: string, cluster: RingleaderCluster): Promise<void> {
    const { api, watches } = this.parts;
    if (cluster.spec.deletionPolicy !== 'Retain') return;
    await disownSecrets(cluster, watches.ofCluster(SECRETS, key), api, (object) => watches.note(object));
  }

  async #observe(
    key: string,
    cluster: RingleaderCluster,
    parts: Pick<Observed, 'isNamespaceTerminating' | 'secretHashes'>,
  ): Promise<Observed> {
    const { api, watches, planes, operatorImages } = this.parts;
    const claimsSeen = () => watches.ofCluster(CLAIMS, key).flatMap((claim) => claimSeen(claim) ?? []);
    const classes = await classesSeen({ cluster, claims: claimsSeen() }, api);
    const whyMissing = await whyPodsMissing(watches.owned(key), api, Date.now());
    const data = await planes.observe(key);
    const issued = await this.#issued(cluster);
    // Now: what was heard while the coordinators were asked is in it.
    const owned = watches.owned(key);
    const { name } = cluster.metadata;
    return {
      ...parts,
      ...classes,
      whyMissing,
      cluster,
      workloads: workloadsSeen(owned, name),
      pods: watches.ofCluster(PODS, key).flatMap((pod) => podSeen(pod) ?? []),
      claims: claimsSeen(),
      data,
      founding: foundingSeen(owned, name),
      objects: objectsSeen([...issued, ...owned], (object, hash) => watches.isAsApplied(object, hash)),
      optionalKinds: watches.optionalKinds,
      operatorImages: operatorImages(),
      nowMs: Date.now(),
    };
  }

  /** Asked for only when they are to go, too. */
  async #issued(cluster: RingleaderCluster): Promise<readonly KubeObject[]> {
    const { api, watches } = this.parts;
    const { metadata, spec } = cluster;
    const isGoing = metadata.deletionTimestamp !== undefined && spec.deletionPolicy === 'Delete';
    return isGoing ? await issuedSecrets(cluster, watches.optionalKinds, api) : [];
  }

  /** In order; the first that does not succeed ends it, but for what is refused and nothing builds on. */
  async #act(
    key: string,
    actions: readonly Action[],
    cluster: RingleaderCluster,
    live: KubeObject,
  ): Promise<Outcome> {
    const refused: (Trouble & { readonly action: Action })[] = [];
    let hasWritten = false;
    let notNow: Error | null = null;
    for (const action of actions) {
      if (refused.some((one) => buildsOn(action, one.action))) continue;
      try {
        if (await this.#do(key, action, cluster, live)) hasWritten = true;
      } catch (error) {
        const { kind, why } = action;
        this.parts.logger.info({ cluster: key, kind, target: targetOf(action), why, error }, 'Not done');
        if (isRefusedByCoordinators(error)) await this.#warn(live, upperCamel(kind), error);
        if (isRefusal(error)) refused.push({ reason: 'Refused', error, action });
        if (endsRound(action, error)) return { hasWritten, refused, error: error as Error };
        if (!isRefusal(error)) notNow = error as Error;
      }
    }
    return { hasWritten, refused, error: notNow };
  }

  async #do(key: string, action: Action, cluster: RingleaderCluster, live: KubeObject): Promise<boolean> {
    const { executor, planes, metrics, events, logger } = this.parts;
    const { kind, why } = action;
    const coordinators = planes.coordinators(key);
    if (!(await executor.do(action, { cluster, coordinators }))) return false;
    metrics.did(kind);
    logger.info({ cluster: key, kind, target: targetOf(action), why }, 'Done');
    const told = { action: upperCamel(kind), reason: upperCamel(kind), note: `${targetOf(action)}: ${why}` };
    await events.tell(live, { type: 'Normal', ...told });
    return true;
  }

  async #writeStatus(
    key: string,
    cluster: RingleaderCluster,
    status: RingleaderClusterStatus,
  ): Promise<void> {
    const { api, watches } = this.parts;
    const live = watches.cluster(key);
    const present = live?.['status'] ?? {};
    if (live?.metadata.uid !== cluster.metadata.uid || isDeepStrictEqual(present, plain(status))) return;
    const { namespace, name } = cluster.metadata;
    const { resourceVersion } = live.metadata;
    const left = Object.keys(present).filter((field) => !(field in status));
    const patch = { ...status, ...Object.fromEntries(left.map((field) => [field, null])) };
    const place = { kind: CLUSTERS, namespace, name };
    try {
      watches.note(await api.merge(place, { metadata: { resourceVersion }, status: patch }, 'status'));
    } catch (error) {
      if (isGone(error)) return;
      if (!isConflict(error)) throw error;
      // Its event may be late, or lost: without the newest the next attempt would be refused as this one was.
      const newest = await api.find(place);
      if (newest !== null) watches.note(newest);
      throw new NotNow('the cluster has changed meanwhile', AFTER_CONFLICT_MS, { cause: error });
    }
  }

  async #isTerminating(namespace: string): Promise<boolean> {
    const live = await this.parts.api.find({ kind: NAMESPACES, namespace: '', name: namespace });
    return live === null || live.metadata.deletionTimestamp !== undefined;
  }

  async #warn(live: KubeObject, reason: string, error: unknown): Promise<void> {
    const note = error instanceof Error ? error.message : String(error);
    await this.parts.events.tell(live, { type: 'Warning', action: 'Reconcile', reason, note });
  }
}

const isRefusedByCoordinators = (error: unknown): boolean =>
  error instanceof NotNow && error.cause instanceof OperationalError;

function endsRound(action: Action, error: unknown): boolean {
  return isRefusal(error)
    ? !endsOnlyWhatBuildsOnIt(action)
    : !(isRefusedByCoordinators(error) && changesGroup(action));
}

const errorOf = ({ error }: Trouble): Error => error;
const refusalOf = ({ reason, error }: Trouble): Refusal => ({ reason, message: error.message });

/** As it comes back from the API server. */
const plain = (status: RingleaderClusterStatus): unknown => JSON.parse(JSON.stringify(status));

const upperCamel = (kind: string): string => kind.charAt(0).toUpperCase() + kind.slice(1);

function targetOf(action: Action): string {
  switch (action.kind) {
    case 'apply':
      return `${action.manifest.kind}/${action.manifest.metadata.name}`;
    case 'deleteObject':
    case 'scale':
      return `${action.ref.kind}/${action.ref.name}`;
    case 'evict':
    case 'deletePod':
      return `Pod/${action.pod}`;
    case 'deleteClaim':
    case 'growClaim':
    case 'markRemoved':
      return `PersistentVolumeClaim/${action.claim}`;
    case 'markFounded':
      return action.claims.join(', ');
    case 'drainShard':
    case 'undrainShard':
    case 'removeShard':
      return action.shard;
    case 'addCoordinator':
    case 'removeCoordinator':
    case 'replaceCoordinator':
      return `coordinator-${action.seat}`;
    case 'transferLeader':
      return action.to === null ? 'the most advanced voter' : `coordinator-${action.to}`;
    default:
      return 'the cluster';
  }
}
