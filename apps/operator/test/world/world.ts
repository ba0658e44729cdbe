/** Kubernetes and the coordinators in one, and what people and bad luck do to them. */
import { isDeepStrictEqual } from 'node:util';
import type { RingleaderCluster, RingleaderClusterSpec } from '@ringleader/contracts';
import type { DataPlaneSeen, Decision, Images, Observed } from '../../src/planning/types.js';
import { GOOD_IMAGES } from './cluster-of.js';
import { executeIn, type WorldRules } from './executing.js';
import { Kubernetes, type WorldClaim, type WorldPod } from './kubernetes.js';
import { Placement, type RunningShard } from './placement.js';
import { RaftGroup, type RunningCoordinator } from './raft-group.js';
import { Violation } from './violations.js';

const REPLICATION_FACTOR = 3;
/** How far back what the operator sees may lie. */
const HISTORY = 6;

type Kube = Omit<Observed, 'cluster' | 'data' | 'nowMs' | 'operatorImages'> & {
  readonly cluster: RingleaderCluster;
};

export interface Look {
  /** Of what the API server says, and of what the coordinators say: by so many steps. */
  readonly kubeAge: number;
  readonly dataAge: number;
}
export const FRESH: Look = { kubeAge: 0, dataAge: 0 };

export class World {
  nowMs = Date.parse('2026-01-01T00:00:00Z');
  readonly kube = new Kubernetes({
    isReady: (pod) => this.#isReady(pod),
    nowText: () => new Date(this.nowMs).toISOString(),
  });
  group: RaftGroup | null = null;
  placement: Placement | null = null;
  foundings = 0;
  /** Of the operator that runs. */
  operatorImages: Images = { ringleader: GOOD_IMAGES[0], postgres: 'postgres:17', nats: GOOD_IMAGES[0] };
  /** Whether the storage class allows it. */
  canVolumesGrow = true;
  /** Keys of the coordinators' records that the operator cannot read. */
  unreadable: readonly string[] = [];
  #members = 0;
  #isPausedByPerson = false;
  readonly #kubeSeen: Kube[] = [];
  readonly #dataSeen: (DataPlaneSeen | null)[] = [];

  constructor(private readonly rules: Partial<WorldRules> = {}) {
    this.tick();
  }

  // Looking.

  /** After each step: what there was is what somebody may see later. */
  tick(): void {
    this.nowMs += 1_000;
    this.#note();
    this.check();
    const { cluster } = this.kube;
    if (cluster !== null) this.#kubeSeen.unshift({ ...this.kube.observed(), cluster });
    this.#dataSeen.unshift(this.data());
    this.#kubeSeen.splice(HISTORY);
    this.#dataSeen.splice(HISTORY);
  }

  observe({ kubeAge, dataAge }: Look): Observed | null {
    const kube = this.#kubeSeen[Math.min(kubeAge, this.#kubeSeen.length - 1)];
    const data = this.#dataSeen[Math.min(dataAge, this.#dataSeen.length - 1)] ?? null;
    if (kube === undefined || this.kube.cluster === null) return null;
    return { ...kube, data, operatorImages: this.operatorImages, nowMs: this.nowMs };
  }

  data(): DataPlaneSeen | null {
    const coordinators = this.group?.observed() ?? null;
    if (coordinators === null) return null;
    const { shards, plan } = this.placement?.observed() ?? { shards: [], plan: null };
    return {
      ...{ clusterId: 'id', coordinators, shards, plan: shards.length > 0 ? plan : null, members: [] },
      unreadable: this.unreadable,
      partitionsWithoutMajority: this.placement?.withoutMajority((volume) => this.#runs(volume)) ?? null,
      founded: null,
    };
  }

  #isReady({ component, claim }: WorldPod): boolean {
    const id = claim?.id ?? '';
    if (component === 'coordinator')
      return this.group !== null && this.group.isVoter(id) && this.group.isQuorate();
    if (component === 'shard') return this.placement !== null && this.placement.isRegistered(id);
    return true;
  }

  #running(component: 'coordinator' | 'shard'): (WorldPod & { readonly claim: WorldClaim })[] {
    return this.kube
      .podsOf(component)
      .filter(
        (pod): pod is WorldPod & { readonly claim: WorldClaim } =>
          pod.phase === 'running' && pod.claim !== null,
      );
  }
  #runs = (volume: string): boolean => this.#running('shard').some(({ claim }) => claim.id === volume);
  #isThere = (volume: string): boolean => [...this.kube.claims.values()].some(({ id }) => id === volume);
  readonly #shards = (): RunningShard[] =>
    this.#running('shard').map(({ ordinal, claim }) => ({ name: `shard-${ordinal}`, volume: claim }));
  readonly #coordinators = (): RunningCoordinator[] =>
    this.#running('coordinator').flatMap(({ ordinal, claim: { id } }) =>
      id === null ? [] : { seat: ordinal ?? 0, id },
    );

  /** Of the cluster that there is, or was. */
  get lastSpec(): RingleaderClusterSpec {
    const seen = this.kube.cluster ?? this.#kubeSeen[0]?.cluster;
    if (seen === undefined) throw new Error('there was never a cluster');
    return seen.spec;
  }

  // What happens by itself.

  /** Ids are drawn, groups are founded, and those that were removed end. */
  raft(): void {
    for (const { claim } of this.#running('coordinator')) claim.id ??= `member-${++this.#members}`;
    this.#found();
    this.group?.progress();
    this.#endRemoved();
  }

  #found(): void {
    const pods = this.#running('coordinator');
    const [first] = pods;
    if (first === undefined || pods.some(({ claim }) => this.group?.isMember(claim.id ?? '') === true))
      return;
    const founders = Number(first.config['founders']);
    const agree = pods.filter(
      ({ config, ordinal }) =>
        config['bootstrap'] === 'new-cluster' &&
        Number(config['founders']) === founders &&
        (ordinal ?? 0) <= founders,
    );
    if (agree.length < founders || agree.some(({ claim }) => this.group?.wasRemoved(claim.id ?? '') === true))
      return;
    this.foundings += 1;
    if (this.foundings > 1) throw new Violation('founds once', 'a second group was founded');
    this.group = new RaftGroup(this.#coordinators().slice(0, founders), this.#coordinators);
    this.placement = new Placement(
      REPLICATION_FACTOR,
      Number(first.config['initialShards']),
      this.#shards,
      () => new Date(this.nowMs).toISOString(),
    );
  }

  place(): void {
    if (this.group?.isQuorate() === true) this.placement?.progress();
    this.#endRemoved();
  }

  #endRemoved(): void {
    for (const { claim, name } of this.#running('coordinator')) {
      if (this.group?.wasRemoved(claim.id ?? '') === true) this.#break(name);
    }
    for (const { claim, name } of this.#running('shard')) {
      if (claim.id !== null && this.placement?.isRegistered(claim.id) === false) this.#break(name);
    }
  }
  #break(name: string): void {
    const pod = this.kube.pods.get(name);
    if (pod !== undefined) pod.phase = 'broken';
  }

  /** Since when a pod is ready, or is not. */
  #note(): void {
    for (const pod of this.kube.pods.values()) {
      const isReady = this.kube.isReady(pod);
      if (isReady !== pod.wasReady) pod.since = new Date(this.nowMs).toISOString();
      pod.wasReady = isReady;
    }
  }

  // What people and bad luck do.

  edit(change: (spec: RingleaderClusterSpec) => RingleaderClusterSpec): void {
    const { cluster } = this.kube;
    if (cluster === null) return;
    const spec = change(cluster.spec);
    if (isDeepStrictEqual(spec, cluster.spec)) return;
    const generation = cluster.metadata.generation + 1;
    this.write({ ...cluster, spec, metadata: { ...cluster.metadata, generation } });
  }

  annotate(annotations: Readonly<Record<string, string>>): void {
    const { cluster } = this.kube;
    if (cluster !== null) this.write({ ...cluster, metadata: { ...cluster.metadata, annotations } });
  }

  upgradeOperator(image: string): void {
    this.operatorImages = { ...this.operatorImages, ringleader: image, nats: image };
  }

  delete(): void {
    const { cluster } = this.kube;
    if (cluster === null || cluster.metadata.deletionTimestamp !== undefined) return;
    const deletionTimestamp = new Date(this.nowMs).toISOString();
    const { finalizers = [] } = cluster.metadata;
    if (finalizers.length === 0) this.kube.cluster = null;
    else this.write({ ...cluster, metadata: { ...cluster.metadata, deletionTimestamp } });
  }

  pauseByPerson(): void {
    if (this.placement?.hasMap !== true) return;
    this.placement.pause('person');
    this.#isPausedByPerson = true;
  }
  resumeByPerson(): void {
    this.placement?.resume('person');
    this.#isPausedByPerson = false;
  }

  removeByPerson(): void {
    const claims = [...this.kube.claims.values()];
    this.placement?.removeByPerson((volume) =>
      claims.some(({ id, isFounded }) => id === volume && isFounded),
    );
  }

  /** A volume is lost, unless too many would be: that no operator can mend. */
  loseVolume(pick: number): void {
    const claims = [...this.kube.claims.values()].filter(({ id }) => id !== null);
    const claim = claims[pick % (claims.length || 1)];
    if (claim === undefined || !this.#canLose(claim)) return;
    const pod = this.kube.pods.get(`demo-${claim.component}-${claim.ordinal}`);
    if (pod !== undefined) this.kube.pods.delete(pod.name);
    this.kube.claims.delete(claim.name);
  }

  /** All that the coordinators knew is gone, and their claims are still there. */
  loseAllLogs(): void {
    for (const claim of this.kube.claims.values()) if (claim.component === 'coordinator') claim.id = null;
    this.kube.pods.clear();
  }

  #canLose({ component, id }: WorldClaim): boolean {
    if (this.group === null || id === null) return false;
    if (component === 'coordinator') return this.group.isQuorate(id);
    const before = this.placement?.withoutMajority(this.#isThere) ?? 0;
    const after = this.placement?.withoutMajority((volume) => volume !== id && this.#isThere(volume)) ?? 0;
    return after === before;
  }

  write(cluster: RingleaderCluster): void {
    const resourceVersion = String(Number(cluster.metadata.resourceVersion) + 1);
    this.kube.cluster = { ...cluster, metadata: { ...cluster.metadata, resourceVersion } };
  }

  // What is decided.

  /** Until one is refused, or it ends after so many. */
  execute(seen: Observed, decision: Decision, endsAfter = Number.POSITIVE_INFINITY): void {
    executeIn(this, this.rules, { seen, decision, endsAfter });
  }

  isAllDeleted(): boolean {
    const { cluster } = this.kube;
    const isDeleted = cluster === null || cluster.metadata.deletionTimestamp !== undefined;
    return isDeleted && this.lastSpec.deletionPolicy === 'Delete';
  }

  check(): void {
    if (this.#isPausedByPerson && this.placement?.paused !== 'person') {
      throw new Violation('what a person paused stays paused', 'moves go on');
    }
    const lost = this.placement?.withoutMajority(this.#isThere) ?? 0;
    if (lost > 0 && !this.isAllDeleted()) throw new Violation('nothing is lost', `${lost} partitions`);
  }
}
