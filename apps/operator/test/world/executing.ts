/** Does in the world what was decided, as the executor does it: with another look before what cannot be taken back. */
import { isDeepStrictEqual } from 'node:util';
import type { RingleaderCluster } from '@ringleader/contracts';
import {
  type Action,
  type DataPlaneSeen,
  type Decision,
  type Observed,
  refText,
} from '../../src/planning/types.js';
import { buildsOn, changesGroup, endsOnlyWhatBuildsOnIt, withRefusals } from '../../src/planning/refusals.js';
import type { Kubernetes, WorldClaim } from './kubernetes.js';
import type { Placement } from './placement.js';
import type { RaftGroup } from './raft-group.js';
import { Forbidden, Refused, Violation } from './violations.js';

export interface WorldRules {
  /** Whether the executor looks again before what cannot be taken back. */
  readonly looksAgain: boolean;
  readonly endsOnlyWhatBuildsOnIt: (action: Action) => boolean;
}
const RULES: WorldRules = { looksAgain: true, endsOnlyWhatBuildsOnIt };

/** What it changes, and asks. */
interface World {
  readonly kube: Kubernetes;
  readonly group: RaftGroup | null;
  readonly placement: Placement | null;
  readonly canVolumesGrow: boolean;
  data(): DataPlaneSeen | null;
  /** Whether the cluster was deleted with all that it had. */
  isAllDeleted(): boolean;
  write(cluster: RingleaderCluster): void;
  /** Throws where something is so that must never be. */
  check(): void;
}

type Of<Kind extends Action['kind']> = Extract<Action, { readonly kind: Kind }>;

export interface Decided {
  readonly seen: Observed;
  readonly decision: Decision;
  /** After so many actions the process is gone. */
  readonly endsAfter: number;
}

export function executeIn(
  world: World,
  rules: Partial<WorldRules>,
  { seen, decision, endsAfter }: Decided,
): void {
  const round = new Round(world, { ...RULES, ...rules }, seen);
  const refused: Action[] = [];
  let done = 0;
  try {
    for (const action of decision.actions) {
      if (done++ >= endsAfter) return;
      if (refused.some((one) => buildsOn(action, one))) continue;
      if (!round.succeeds(action)) refused.push(action);
      world.check();
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  const refusals = refused.map(({ kind }) => ({ reason: 'Refused', message: `${kind} is refused` }));
  if (done < endsAfter) round.writeStatus(withRefusals(decision.status, refusals, seen));
}

class Round {
  constructor(
    private readonly world: World,
    private readonly rules: WorldRules,
    private readonly seen: Observed,
  ) {}

  writeStatus(status: Decision['status']): void {
    const { cluster } = this.world.kube;
    if (cluster === null || isDeepStrictEqual(cluster.status, status)) return;
    if (cluster.metadata.resourceVersion === this.seen.cluster.metadata.resourceVersion)
      this.world.write({ ...cluster, status });
  }

  /** False where it is refused for good, and that ends nothing but what builds on it. What changes the group ends nothing. */
  succeeds(action: Action): boolean {
    try {
      this.#do(action);
      return true;
    } catch (error) {
      if (error instanceof Forbidden && this.rules.endsOnlyWhatBuildsOnIt(action)) return false;
      if (error instanceof Refused && changesGroup(action)) return true;
      throw error;
    }
  }

  #do(action: Action): void {
    const { kube } = this.world;
    switch (action.kind) {
      case 'apply':
        if (this.#lowers(action)) this.#lookAgain();
        return kube.apply(action.manifest, action.hash);
      case 'deleteObject':
        return kube.deleteObject(action.ref, action.uid, action.leavesPods);
      case 'scale':
        if (action.replicas < (kube.objects.get(refText(action.ref))?.replicas ?? 0)) this.#lookAgain();
        return kube.scale(action.ref, action.uid, action.replicas);
      case 'evict':
        return void kube.evict(action.pod, action.uid);
      case 'deletePod':
        return kube.deletePod(action.pod, action.uid);
      case 'deleteClaim':
        return this.#deleteClaim(action);
      case 'growClaim':
        return this.#growClaim(action);
      case 'markFounded':
        for (const name of action.claims) {
          const claim = kube.claims.get(name);
          if (claim !== undefined) Object.assign(claim, { isFounded: true, isRemoved: false });
        }
        return;
      case 'markRemoved':
        this.#lookAgain();
        this.#askWhether(action.member);
        kube.claim(action.claim, action.uid).isRemoved = true;
        return;
      case 'addFinalizer':
      case 'removeFinalizer':
        return this.#finalize(action.kind === 'addFinalizer');
      default:
        return this.#ask(action);
    }
  }

  #ask(action: Action): void {
    const { group, placement } = this.world;
    if (group?.isQuorate() !== true || placement === null) throw new Refused('UNAVAILABLE');
    switch (action.kind) {
      case 'drainShard':
        return placement.drain(action.shard, action.ifEpoch);
      case 'undrainShard':
        return placement.undrain(action.shard, action.ifEpoch);
      case 'removeShard':
        this.#lookAgain();
        return placement.remove(action.shard, action.ifEpoch);
      case 'pauseMoves':
        return placement.pause('operator', action.ifEpoch);
      case 'resumeMoves':
        return placement.resume('operator', action.ifEpoch);
      case 'addCoordinator':
        return group.add(action.seat, action.ifIndex);
      case 'removeCoordinator':
        this.#lookAgain();
        return group.remove(action.seat, action.ifIndex);
      case 'replaceCoordinator':
        this.#lookAgain();
        return group.replace(action.seat, action.ifIndex);
      case 'transferLeader':
        return group.transfer(action.to);
      default:
        throw new Error(`nobody does ${action.kind}`);
    }
  }

  #lowers({ manifest }: Of<'apply'>): boolean {
    const before = this.world.kube.objects.get(`${manifest.kind}/${manifest.metadata.name}`);
    const { replicas = 0 } = (manifest['spec'] ?? {}) as { replicas?: number };
    return manifest.kind === 'StatefulSet' && before !== undefined && replicas < before.replicas;
  }

  #lookAgain(): void {
    if (!this.rules.looksAgain) return;
    const { uid, generation, deletionTimestamp } = this.world.kube.cluster?.metadata ?? {};
    const { metadata } = this.seen.cluster;
    const isSame =
      uid === metadata.uid &&
      generation === metadata.generation &&
      deletionTimestamp === metadata.deletionTimestamp;
    if (!isSame) throw new Refused('Conflict');
  }

  #growClaim({ claim: name, uid, size }: Of<'growClaim'>): void {
    const { kube, canVolumesGrow } = this.world;
    const claim = kube.claim(name, uid);
    if (!claim.isBound) throw new Forbidden('only what is bound may be changed');
    if (!canVolumesGrow || kube.storageClass !== 'growing')
      throw new Forbidden('the storage class does not let volumes grow');
    claim.size = size;
  }

  #deleteClaim({ claim: name, uid, member }: Of<'deleteClaim'>): void {
    const { kube } = this.world;
    const claim = kube.claim(name, uid);
    this.#lookAgain();
    if (this.rules.looksAgain && member !== null) this.#askWhether(member);
    if (!this.world.isAllDeleted() && this.#isNeeded(claim)) {
      throw new Violation('no volume goes that is needed', `${claim.name} holds ${claim.id}`);
    }
    kube.deleteClaim(claim);
  }

  #isNeeded({ id }: WorldClaim): boolean {
    if (id === null) return false;
    const { group, placement } = this.world;
    return group?.isMember(id) === true || placement?.isKept(id) === true;
  }

  /** Whether the coordinators list this member. */
  #askWhether(member: string): void {
    const data = this.world.data();
    if (data === null || (data.shards.length === 0 && member.startsWith('shard')))
      throw new Refused('UNAVAILABLE');
    const shards = data.shards.map(({ shard }) => shard);
    const members = data.coordinators.members.map(({ name }) => name);
    if ([...shards, ...members].includes(member)) throw new Refused('Conflict');
  }

  #finalize(adds: boolean): void {
    const { cluster } = this.world.kube;
    if (cluster?.metadata.resourceVersion !== this.seen.cluster.metadata.resourceVersion)
      throw new Refused('Conflict');
    if (!adds && cluster.metadata.deletionTimestamp !== undefined) {
      this.world.kube.cluster = null;
      return;
    }
    const finalizers = adds ? ['ringleader.io/cluster'] : [];
    this.world.write({ ...cluster, metadata: { ...cluster.metadata, finalizers } });
  }
}
