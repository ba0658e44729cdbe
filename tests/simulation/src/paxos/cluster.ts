/** A whole simulated cluster: shards with their databases, gateways with their clients, the map, faults and checks. */
import { RULES, type PartitionStatus, type PaxosRules } from '@ringleader/paxos';
import type { PartitionIndex, Prng, ShardOrdinal } from '@ringleader/primitives';
import {
  drawFaultPlan,
  Judge,
  scheduleFaults,
  SimulatedStore,
  World,
  type FaultPlan,
  type NodeId,
} from '@ringleader/testing-simulation';
import type { CheckId } from './checks.js';
import type { ClientEvent } from './client-history.js';
import { GatewayProcess } from './gateway.js';
import { Ghost } from './ghost/ghost.js';
import { PartitionMap } from './partition-map.js';
import type { BrokenSurroundings, RunSettings } from './settings.js';
import { ShardDatabase } from './shard-database.js';
import { ShardObserver } from './shard-observer.js';
import { ShardProcess } from './shard-process.js';
import type { SimMessage } from './sim-messages.js';
import { carry } from './wire.js';
import { Workload } from './workload.js';

const FIRST_GATEWAY = 1_001;
const STORAGE = { minMs: 0.1, maxMs: 1 };

export interface ClusterOptions {
  readonly seed: number;
  readonly rules?: PaxosRules;
  readonly broken?: BrokenSurroundings;
  readonly traceCapacity?: number;
  /** Null: all checks count. */
  readonly counting?: ReadonlySet<CheckId> | null;
}

export class Cluster {
  readonly world: World<SimMessage>;
  readonly settings: RunSettings;
  readonly broken: BrokenSurroundings;
  readonly judge: Judge;
  readonly ghost: Ghost;
  readonly observer: ShardObserver;
  readonly map: PartitionMap;
  readonly workload: Workload;
  readonly shards: readonly ShardOrdinal[];
  readonly history: ClientEvent[] = [];
  readonly processes = new Map<ShardOrdinal, ShardProcess>();
  readonly stores = new Map<ShardOrdinal, SimulatedStore<ShardDatabase>>();
  readonly plan: FaultPlan;
  readonly #prng: Prng;
  readonly #gateways: GatewayProcess[] = [];
  readonly #mapWithheldUntil = new Map<ShardOrdinal, number>();

  constructor(settings: RunSettings, options: ClusterOptions) {
    this.settings = settings;
    this.broken = options.broken ?? {};
    this.world = new World({ seed: options.seed, traceCapacity: options.traceCapacity ?? 0, carry });
    this.#prng = this.world.fork();
    const now = (): number => this.world.events.now;
    this.shards = Array.from({ length: settings.cluster.shards }, (_, index) => index + 1);
    this.plan = this.#drawPlan();
    this.judge = new Judge(options.counting ?? null);
    this.ghost = new Ghost(this.judge, now);
    this.observer = new ShardObserver(
      this.ghost,
      this.judge,
      now,
      (shard) => this.plan.clocks.get(shard)?.rate ?? 1,
    );
    this.map = new PartitionMap((assignment) => {
      this.ghost.noteAssignment(assignment);
      for (const shard of this.shards) this.#sendMap(shard);
    });
    this.map.create(settings.cluster.partitions, this.shards, settings.cluster.replicationFactor);
    for (const shard of this.shards) this.#addShard(shard, options.rules ?? RULES);
    for (let index = 0; index < settings.gateways; index += 1) {
      this.#addGateway(FIRST_GATEWAY + index);
    }
    this.workload = new Workload(
      settings.workload,
      {
        ghost: this.ghost,
        gateways: this.#gateways,
        partitions: settings.cluster.partitions,
        now,
        record: (event) => this.history.push(event),
      },
      this.world.fork(),
    );
  }

  start(): void {
    for (const node of this.world.nodes.values()) node.start();
    scheduleFaults(this.world, this.plan, {
      setStorageLatency: (node, latency) => this.stores.get(node)?.setLatency(latency),
    });
    this.workload.start();
  }

  status(shard: ShardOrdinal, partition: PartitionIndex): PartitionStatus | undefined {
    if (!this.world.node(shard).isUp) return undefined;
    return this.processes
      .get(shard)
      ?.core.status()
      .find((status) => status.partition === partition);
  }

  /** The shard that serves the partition as its leader, if there is just one. */
  leaderOf(partition: PartitionIndex): ShardOrdinal | null {
    const leaders = this.shards.filter((shard) => {
      const status = this.status(shard, partition);
      return status !== undefined && status.role === 'leader' && status.serving;
    });
    return leaders.length === 1 ? (leaders[0] as ShardOrdinal) : null;
  }

  database(shard: ShardOrdinal): ShardDatabase {
    return (this.stores.get(shard) as SimulatedStore<ShardDatabase>).state;
  }

  /** For scripts: the shard learns of no change for a while. */
  withholdMapFrom(shard: ShardOrdinal, durationMs: number): void {
    const { events } = this.world;
    this.#mapWithheldUntil.set(shard, events.now + durationMs);
    events.after(durationMs, () => {
      this.#sendMap(shard);
    });
  }

  #drawPlan(): FaultPlan {
    const { faults, faultyMs, storage, links, clockRates } = this.settings;
    const drawn = drawFaultPlan(this.world.fork(), {
      nodes: this.shards,
      startMs: 100,
      endMs: faultyMs,
      faultDurationMaxMs: faults.durationMaxMs,
      clockDriftMax: faults.clockDriftMax,
      wallSkewMaxMs: faults.wallSkewMaxMs,
      intensity: faults.intensity,
      kinds: faults.kinds,
    });
    const clocks = new Map(
      [...drawn.clocks].map(([id, clock]) => [id, { ...clock, rate: clockRates?.[id - 1] ?? clock.rate }]),
    );
    return { ...drawn, clocks, storage: storage ?? drawn.storage, links: links ?? drawn.links };
  }

  #addShard(shard: ShardOrdinal, rules: PaxosRules): void {
    const store = new SimulatedStore(new ShardDatabase(), this.world.events, this.world.fork(), STORAGE);
    store.setReadLatency(this.settings.readLatency);
    this.stores.set(shard, store);
    const gateways: NodeId[] = Array.from(
      { length: this.settings.gateways },
      (_, index) => FIRST_GATEWAY + index,
    );
    this.world.addNode(
      shard,
      (host) => {
        const process = new ShardProcess(host, {
          settings: this.settings.cluster,
          rules,
          store,
          observer: this.observer,
          gateways,
          readMap: () => (this.#mapIsWithheldFrom(shard) ? [] : this.map.entries()),
        });
        this.processes.set(shard, process);
        return process;
      },
      this.plan.clocks.get(shard),
    );
  }

  #addGateway(id: NodeId): void {
    const { map: routing, broken } = this;
    this.world.addNode(id, (host) => {
      const gateway = new GatewayProcess(host, this.settings.gateway, { routing, broken });
      this.#gateways.push(gateway);
      return gateway;
    });
  }

  /** Shards learn of a change late, each at its own time, and always learn the newest. */
  #sendMap(shard: ShardOrdinal): void {
    if (this.world.events.now === 0) return;
    const delayMs = this.#prng.nextFloat() ** 2 * 400;
    this.world.events.after(delayMs, () => {
      const node = this.world.node(shard);
      if (node.isPaused || this.#mapIsWithheldFrom(shard)) this.#sendMap(shard);
      else if (node.isUp) this.processes.get(shard)?.learnMap(this.map.entries());
    });
  }

  #mapIsWithheldFrom(shard: ShardOrdinal): boolean {
    return (this.#mapWithheldUntil.get(shard) ?? 0) > this.world.events.now;
  }
}
