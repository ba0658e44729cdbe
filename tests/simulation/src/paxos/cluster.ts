/** A whole simulated cluster: shards with their databases, gateways with their clients, the map, faults and checks. */
import { RULES, type PartitionAssignment, type PartitionStatus, type PaxosRules } from '@ringleader/paxos';
import type { PartitionIndex, Prng, ShardOrdinal } from '@ringleader/primitives';
import {
  drawClock,
  drawFaultPlan,
  Judge,
  scheduleFaults,
  SimulatedStore,
  World,
  type ClockSettings,
  type FaultPlan,
  type Host,
  type NodeId,
  type Process,
} from '@ringleader/testing-simulation';
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

/** What the machine of a shard runs; it starts the shard itself when it may. */
export type ShardProgram = (
  host: Host<SimMessage>,
  startShard: () => Process<SimMessage>,
) => Process<SimMessage>;

export interface ClusterOptions {
  readonly seed: number;
  readonly rules?: PaxosRules;
  readonly broken?: BrokenSurroundings;
  readonly traceCapacity?: number;
  /** Null: all checks count. */
  readonly counting?: ReadonlySet<string> | null;
  /** Left out, each partition's replicas begin one shard further on. */
  readonly firstMap?: readonly PartitionAssignment[];
  /** Left out, a machine runs its shard from the start. */
  readonly program?: ShardProgram;
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
  readonly history: ClientEvent[] = [];
  readonly processes = new Map<ShardOrdinal, ShardProcess>();
  readonly stores = new Map<ShardOrdinal, SimulatedStore<ShardDatabase>>();
  readonly plan: FaultPlan;
  readonly #prng: Prng;
  readonly #options: ClusterOptions;
  readonly #shards: ShardOrdinal[] = [];
  readonly #clocks: Map<ShardOrdinal, ClockSettings>;
  readonly #gateways: GatewayProcess[] = [];
  readonly #mapWithheldUntil = new Map<ShardOrdinal, number>();

  constructor(settings: RunSettings, options: ClusterOptions) {
    this.settings = settings;
    this.#options = options;
    this.broken = options.broken ?? {};
    this.world = new World({ seed: options.seed, traceCapacity: options.traceCapacity ?? 0, carry });
    this.#prng = this.world.fork();
    const now = (): number => this.world.events.now;
    const first = Array.from({ length: settings.cluster.shards }, (_, index) => index + 1);
    this.plan = this.#drawPlan(first);
    this.#clocks = new Map(this.plan.clocks);
    this.judge = new Judge(options.counting ?? null);
    this.ghost = new Ghost(this.judge, now, (shard) => this.#isFarBehind(shard));
    this.observer = new ShardObserver(
      this.ghost,
      this.judge,
      now,
      (shard) => this.#clocks.get(shard)?.rate ?? 1,
    );
    this.map = new PartitionMap((assignment) => {
      this.ghost.noteAssignment(assignment);
      for (const shard of this.#shards) this.#sendMap(shard);
    });
    const { partitions, replicationFactor } = settings.cluster;
    if (options.firstMap === undefined) this.map.create(partitions, first, replicationFactor);
    else for (const assignment of options.firstMap) this.map.put(assignment);
    for (const shard of first) this.#addNode(shard);
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

  /** That run, and those that will be started again. */
  get shards(): readonly ShardOrdinal[] {
    return this.#shards;
  }

  /** A new machine with an empty database. */
  addShard(shard: ShardOrdinal): void {
    this.#clocks.set(shard, drawClock(this.#prng, this.settings.faults));
    this.#addNode(shard);
    this.stores.get(shard)?.setLatency(this.plan.storage);
    this.world.node(shard).start();
  }

  /** It never runs again. */
  retireShard(shard: ShardOrdinal): void {
    this.world.node(shard).crash();
    this.#shards.splice(this.#shards.indexOf(shard), 1);
    this.processes.delete(shard);
  }

  /** While it is down: another copy of its database is found at its next start. */
  replaceDatabase(shard: ShardOrdinal, database: ShardDatabase): void {
    this.stores.set(shard, this.#storeOf(database));
    this.stores.get(shard)?.setLatency(this.plan.storage);
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
    const leaders = this.#shards.filter((shard) => {
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

  #isFarBehind(shard: ShardOrdinal): boolean {
    const latest = Math.max(...[...this.world.nodes.values()].map(({ clock }) => clock.latestWallMs()));
    return latest - this.world.node(shard).clock.wallMs() > this.settings.cluster.timings.clocksDifferMs;
  }

  #drawPlan(nodes: readonly ShardOrdinal[]): FaultPlan {
    const { faults, faultyMs, storage, links, clockRates } = this.settings;
    const drawn = drawFaultPlan(this.world.fork(), {
      nodes,
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

  #addNode(shard: ShardOrdinal): void {
    this.#shards.push(shard);
    this.stores.set(shard, this.#storeOf(new ShardDatabase()));
    const { program = (_host, startShard) => startShard() } = this.#options;
    this.world.addNode(shard, (host) => program(host, () => this.#startShard(host)), this.#clocks.get(shard));
  }

  #storeOf(database: ShardDatabase): SimulatedStore<ShardDatabase> {
    const store = new SimulatedStore(database, this.world.events, this.world.fork(), STORAGE);
    store.setReadLatency(this.settings.readLatency);
    return store;
  }

  #startShard(host: Host<SimMessage>): ShardProcess {
    const shard = host.id;
    const gateways: NodeId[] = Array.from(
      { length: this.settings.gateways },
      (_, index) => FIRST_GATEWAY + index,
    );
    const process = new ShardProcess(host, {
      settings: this.settings.cluster,
      rules: this.#options.rules ?? RULES,
      store: this.stores.get(shard) as SimulatedStore<ShardDatabase>,
      observer: this.observer,
      gateways,
      keepsRows: this.broken.keepsRows === true,
      readFromRows: this.broken.readFromRows,
      readMap: () => (this.#mapIsWithheldFrom(shard) ? [] : this.map.entries()),
    });
    this.processes.set(shard, process);
    return process;
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
