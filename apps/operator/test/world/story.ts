/** A world in which things happen, and an operator decides now and then what to do. */
import type { RingleaderClusterSpec } from '@ringleader/contracts';
import { decide } from '../../src/planning/decide.js';
import type { PlannerRules } from '../../src/planning/rules.js';
import { BAD_IMAGE, GOOD_IMAGES } from './cluster-of.js';
import { checkDecision } from './decision-checks.js';
import type { Kubernetes } from './kubernetes.js';
import { smallObjects } from './manifests.js';
import type { WorldRules } from './executing.js';
import type { Edit, Event, Harm } from './events.js';
import { FRESH, type Look, World } from './world.js';
import { Violation } from './violations.js';

export interface Setting {
  readonly rules?: PlannerRules;
  readonly world?: Partial<WorldRules>;
}

export class Story {
  readonly world: World;

  constructor(private readonly setting: Setting = {}) {
    this.world = new World(setting.world);
  }

  play(events: readonly Event[]): void {
    for (const one of events) {
      this.#happen(one);
      this.world.tick();
    }
  }

  /** Nothing is injected any more: all comes to be as it is described, and then nothing is written. */
  ends(): void {
    const { world } = this;
    world.edit((spec) => ({
      ...spec,
      images: {
        ...spec.images,
        ringleader: spec.images.ringleader === BAD_IMAGE ? GOOD_IMAGES[0] : spec.images.ringleader,
      },
      nats: { managed: { replicas: 3, ...spec.nats.managed, image: GOOD_IMAGES[1] } },
    }));
    world.annotate({});
    world.resumeByPerson();
    world.canVolumesGrow = true;
    world.tick();
    const rounds = this.settle();
    if (rounds === null) throw new Violation('converges', this.#state());
    checkReached(world);
  }

  /** In order, and then there is no cluster any more. */
  deletes(policy: 'Retain' | 'Delete'): void {
    const { world } = this;
    world.edit((spec) => ({ ...spec, deletionPolicy: policy }));
    world.delete();
    world.tick();
    // Before there is a finalizer there is nothing else.
    for (let round = 0; round < 60 && world.kube.cluster !== null; round++) {
      this.reconcile(FRESH, 1_000);
      this.#turn();
      world.tick();
    }
    if (world.kube.cluster !== null) throw new Violation('is deleted', this.#state());
    if (world.kube.pods.size > 0) throw new Violation('is deleted', 'pods are left');
  }

  /** What a person must mend: no operator may found a cluster over what is left. */
  losesAllLogs(): void {
    this.world.annotate({});
    this.world.tick();
    this.settle();
    this.world.loseAllLogs();
    this.world.tick();
    this.settle(30);
  }

  /** Somebody applies the same cluster again. */
  beginsAgain(): void {
    const { world } = this;
    const before = world.lastSpec;
    world.kube.begin();
    world.edit(() => before);
    world.tick();
  }

  losesNamespace(): void {
    const { world } = this;
    world.kube.isNamespaceTerminating = true;
    world.delete();
    world.tick();
    this.reconcile(FRESH, 1_000);
    if (world.kube.cluster !== null) throw new Violation('lets go', this.#state());
  }

  /** Rounds until nothing happens any more; null: that never was. */
  settle(roundsMax = 400): number | null {
    let quiet = 0;
    for (let round = 0; round < roundsMax; round++) {
      const isQuiet = this.reconcile(FRESH, 1_000);
      this.#turn();
      this.world.tick();
      quiet = isQuiet ? quiet + 1 : 0;
      if (quiet === QUIET_ROUNDS) return round;
    }
    return null;
  }

  #turn(waitsMs = 4_000): void {
    const { world } = this;
    world.kube.control();
    world.kube.kubelet();
    world.raft();
    world.place();
    world.nowMs += waitsMs;
  }

  /** Whether there was nothing to do and to tell. */
  reconcile(look: Look, endsAfter: number): boolean {
    const observed = this.world.observe(look);
    if (observed === null) return true;
    const decision = decide(observed, smallObjects, this.setting.rules);
    checkDecision(observed, decision);
    const before = this.world.kube.cluster?.metadata.resourceVersion;
    this.world.execute(observed, decision, endsAfter);
    return decision.actions.length === 0 && this.world.kube.cluster?.metadata.resourceVersion === before;
  }

  #happen(one: Event): void {
    const { world } = this;
    const { kube } = world;
    switch (one.kind) {
      case 'reconcile':
        return void this.reconcile(one, one.endsAfter);
      case 'control':
        return kube.control();
      case 'kubelet':
        return kube.kubelet(one.pick);
      case 'raft':
        return world.raft();
      case 'place':
        return world.place();
      case 'round':
        this.reconcile(FRESH, 1_000);
        return this.#turn(0);
      case 'settle':
        return void this.settle(40);
      case 'elect':
        return world.group?.elect(one.pick);
      case 'kill':
      case 'drainNode':
      case 'killAll':
      case 'loseVolume':
        return this.#harm(one);
      case 'drainByPerson':
        return world.placement?.drainByPerson(one.pick);
      case 'removeByPerson':
        return world.removeByPerson();
      case 'pauseByPerson':
        return world.pauseByPerson();
      case 'resumeByPerson':
        return world.resumeByPerson();
      case 'scaleByHand': {
        const set = kube.workload(one.component);
        if (set !== undefined) set.replicas = one.replicas;
        return;
      }
      case 'pauseOperator':
        return world.annotate(one.isPaused ? { 'ringleader.io/paused': 'true' } : {});
      case 'upgradeOperator':
        return world.upgradeOperator(one.image);
      default:
        return this.#edit(one);
    }
  }

  #harm(one: Harm): void {
    const { kube } = this.world;
    const pods = [...kube.pods.values()];
    if (one.kind === 'killAll') return kube.pods.clear();
    if (one.kind === 'loseVolume') return this.world.loseVolume(one.pick);
    const pod = pods[one.pick % (pods.length || 1)];
    if (pod === undefined) return;
    if (one.kind === 'kill') kube.pods.delete(pod.name);
    else kube.evict(pod.name, pod.uid);
  }

  #edit(one: Edit): void {
    this.world.edit((spec) => {
      switch (one.kind) {
        case 'shards':
          return { ...spec, shards: { ...spec.shards, replicas: one.replicas } };
        case 'gateways':
          return { ...spec, gateways: { ...spec.gateways, replicas: one.replicas } };
        case 'coordinators': {
          const by = Math.sign(one.replicas - spec.coordinators.replicas) * 2;
          return {
            ...spec,
            coordinators: { ...spec.coordinators, replicas: spec.coordinators.replicas + by },
          };
        }
        case 'nats':
          return { ...spec, nats: { managed: { ...spec.nats.managed, replicas: one.replicas } } };
        case 'natsImage':
          return { ...spec, nats: { managed: { replicas: 3, ...spec.nats.managed, image: one.image } } };
        case 'image':
          return { ...spec, images: { ...spec.images, ringleader: one.image } };
        case 'size': {
          const storage = { ...spec.shards.storage, size: one.size };
          const shrinks = one.size < spec.shards.storage.size;
          return shrinks ? spec : { ...spec, shards: { ...spec.shards, storage } };
        }
        default:
          return spec;
      }
    });
  }

  #state(): string {
    const observed = this.world.observe(FRESH);
    if (observed === null) return 'gone';
    const { actions, status } = decide(observed, smallObjects, this.setting.rules);
    const pods = observed.pods.map(({ name, isReady, trouble }) => `${name}${isReady ? '' : ` ${trouble}`}`);
    return JSON.stringify({ actions: actions.map(({ kind, why }) => [kind, why]), status, pods }, null, 1);
  }
}
/** Nothing more is coming after so many without a change. */
const QUIET_ROUNDS = 8;

function checkReached({ kube, group, placement }: World): void {
  const { cluster } = kube;
  if (cluster === null) return;
  const { spec, status } = cluster;
  const unready = [...kube.pods.values()].filter((pod) => !kube.isReady(pod));
  const members = group?.observed()?.members.map(({ name }) => name) ?? [];
  const shards = placement?.observed().shards ?? [];
  const condition = (type: string): string | undefined =>
    status?.conditions?.find((one) => one.type === type)?.status;
  const small = smallerThanAsked(kube, spec);
  const outcome = {
    small,
    degraded: condition('Degraded'),
    unready: unready.map(({ name }) => name),
    coordinators: members,
    shards: shards.map(({ shard, state }) => `${shard} ${state}`).sort(),
    claims: [...kube.claims.keys()].sort(),
    isPaused: placement?.paused ?? null,
    available: condition('Available'),
    progressing: condition('Progressing'),
  };
  const count = (replicas: number, text: (i: number) => string): string[] =>
    Array.from({ length: replicas }, (_, i) => text(i + 1));
  const expected = {
    ...volumesExpected(kube, small),
    unready: [],
    coordinators: count(spec.coordinators.replicas, (i) => `coordinator-${i}`),
    shards: count(spec.shards.replicas, (i) => `shard-${i} active`),
    claims: [
      ...count(spec.coordinators.replicas, (i) => `data-demo-coordinator-${i}`),
      ...count(spec.shards.replicas, (i) => `data-demo-shard-${i}`),
    ],
    isPaused: null,
    available: spec.gateways.replicas === 0 ? condition('Available') : 'True',
    progressing: 'False',
  };
  const [is, should] = [JSON.stringify(outcome), JSON.stringify(expected)];
  if (is !== should) throw new Violation('reaches what is described', `${is}\nshould be ${should}`);
}

/** Volumes, with what they have. */
function smallerThanAsked({ claims }: Kubernetes, spec: RingleaderClusterSpec): readonly string[] {
  const asked = { shard: spec.shards.storage.size, coordinator: spec.coordinators.storage.size };
  return [...claims.values()]
    .filter(({ component, size }) => size !== asked[component])
    .map(({ name, size }) => `${name} ${size}`);
}

/** Where none can grow, it says that it does not do what it was asked for; nothing else suffers. */
const volumesExpected = ({ storageClass }: Kubernetes, small: readonly string[]) =>
  storageClass === 'growing'
    ? { small: [], degraded: 'False' }
    : { small, degraded: small.length > 0 ? 'True' : 'False' };
