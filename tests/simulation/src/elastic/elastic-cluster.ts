/** A whole cluster that changes its shape: the data plane's simulation, machines, coordinators, detectors, and checks. */
import { computeMap, type ClusterState, type Place, type RegisteredShard } from '@ringleader/placement';
import type { PaxosRules } from '@ringleader/paxos';
import type { ShardOrdinal } from '@ringleader/primitives';
import { Cluster } from '../paxos/cluster.js';
import type { ElasticCheckId } from './checks.js';
import { ControlLinks } from './control-links.js';
import { Coordinators } from './coordinators.js';
import { CoordinatorStore } from './coordinator-store.js';
import { Detectors } from './detectors.js';
import { Machines } from './machines.js';
import type { Machine } from './shard-machine.js';
import type { BrokenShape, ElasticSettings } from './settings.js';
import { ShapeChecks } from './shape-checks.js';

export interface ElasticOptions {
  readonly seed: number;
  readonly broken: BrokenShape;
  readonly rules?: PaxosRules;
  readonly traceCapacity: number;
  /** Null: all checks count. */
  readonly counting: ReadonlySet<ElasticCheckId> | null;
}

export class ElasticCluster {
  readonly settings: ElasticSettings;
  readonly cluster: Cluster;
  readonly machines: Machines;
  readonly links: ControlLinks;
  readonly coordinators: Coordinators;
  readonly detectors: Detectors;

  constructor(settings: ElasticSettings, options: ElasticOptions) {
    this.settings = settings;
    const { seed, broken, rules, traceCapacity, counting } = options;
    const shards = firstShards(settings);
    const first = firstState(settings, shards);
    this.cluster = new Cluster(settings.base, {
      seed,
      traceCapacity,
      counting,
      broken: { keepsRows: broken.keepsRows === true },
      ...(rules === undefined ? {} : { rules }),
      firstMap: first.map,
      program: (host, startShard) => this.machines.program(host, startShard),
    });
    const { world, judge } = this.cluster;
    const { events, trace } = world;
    const checks = new ShapeChecks({
      cluster: this.cluster,
      judge,
      isLost: (ordinal) => this.machines.lost.has(ordinal),
    });
    const store = new CoordinatorStore(
      first,
      (before, after, changes) => {
        checks.committed(before, after, changes);
        for (const entry of changes.entries) this.cluster.map.put(entry);
      },
      broken,
    );
    this.links = new ControlLinks(events, world.fork(), settings);
    this.coordinators = new Coordinators(store, {
      events,
      trace,
      prng: world.fork(),
      limits: settings.limits,
      broken,
      decided: (state, look) => {
        checks.decided(state, look);
      },
    });
    this.machines = new Machines(this.cluster, this.coordinators, this.links);
    for (const { zone, weight } of shards) this.machines.found(zone, weight);
    this.detectors = new Detectors({
      cluster: this.cluster,
      machines: this.machines,
      coordinators: this.coordinators,
      links: this.links,
      prng: world.fork(),
    });
  }

  start(): void {
    this.coordinators.elect();
    this.cluster.start();
    this.detectors.start();
  }

  startAfter(machine: Machine, delayMs: number): void {
    this.cluster.world.events.after(delayMs, () => {
      this.machines.start(machine);
    });
  }

  /**
   * Losing one more database is a fault that a cluster bears while each set keeps a majority that will come back. Who is
   * away just now may be given up before anybody hears of this loss.
   */
  canLose({ ordinal }: Machine): boolean {
    const { state } = this.coordinators.store;
    const isLost = (one: ShardOrdinal): boolean => {
      const machine = this.machines.of(one);
      if (one === ordinal || machine?.isServing !== true) return true;
      if (state.places.get(one)?.state === 'replaced') return true;
      return (state.verdicts.get(machine.name)?.verdict ?? 'alive') !== 'alive';
    };
    const sets = state.map.flatMap(({ replicas, nextReplicas }) => [replicas, nextReplicas ?? replicas]);
    return sets.every(
      (set) => !set.includes(ordinal) || set.filter((one) => !isLost(one)).length * 2 > set.length,
    );
  }
}

function firstShards({ base, zones }: ElasticSettings): RegisteredShard[] {
  return Array.from({ length: base.cluster.shards }, (_, index) => ({
    shardId: `shard-${String(index + 1)}`,
    ordinal: index + 1,
    zone: zones[index % zones.length] ?? '',
    weight: 1,
  }));
}

function firstState({ base }: ElasticSettings, shards: readonly RegisteredShard[]): ClusterState {
  const { partitions: partitionCount, replicationFactor } = base.cluster;
  const placed = computeMap({
    partitionCount,
    replicationFactor,
    shards: shards.map(({ shardId, ...shard }) => ({ ...shard, id: shardId })),
  });
  if (placed.kind !== 'placed') throw new RangeError('too few shards for the first map');
  return {
    partitionCount,
    replicationFactor,
    map: placed.partitions.map((placement, partition) => ({
      ...placement,
      partition,
      epoch: 1,
      nextReplicas: null,
      learners: [],
    })),
    places: new Map<ShardOrdinal, Place>(),
    moves: new Map(),
    control: null,
    registrations: new Map(shards.map((shard) => [shard.shardId, shard])),
    present: new Map(),
    verdicts: new Map(),
    elapsed: new Map(),
  };
}
