import { OperationalError, type LocalClusterState, type MemberAction } from '@ringleader/contracts';
import { postgresPrograms, StartError } from '@ringleader/server-processes';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Control, type Controlled, type ShardRequest } from './control.js';
import { openDataFolder, openEphemeralFolder, type DataFolder } from './data-folder.js';
import { clusterHealth, probeSucceeds } from './health.js';
import {
  coordinatorSeats,
  nextLayout,
  readLayout,
  shardsOf,
  withJoined,
  withRemoved,
  withShard,
  withoutShard,
  writeLayout,
  type Layout,
} from './layout.js';
import { Links } from './links.js';
import {
  gatewayPorts,
  natsPrograms,
  postgresProgram,
  refuseOtherVersions,
  serviceProgram,
} from './programs.js';
import {
  COORDINATORS_MAX,
  coordinatorFolder,
  numbers,
  planCoordinator,
  planServices,
  planShard,
  postgresName,
  SERVICES,
  SHARDS_MAX,
  type ClusterOptions,
  type ClusterPlan,
  type Service,
  type ServicePlan,
  type Site,
} from './services.js';
import { accessOf, renewDue, secure, type GatewayAccess, type Security } from './security.js';
import { writeClusterState } from './state-file.js';
import { seconds, Supervisor, type Program, type Say } from './supervisor.js';

export interface ClusterContext extends Pick<Site, 'root' | 'environment'> {
  readonly say: Say;
  /** Aborted when the start is to be given up. */
  readonly signal: AbortSignal;
  /** Aborted when everything is to end at once: the data stay as after a crash, which is what they are made for. */
  readonly impatience: AbortSignal;
  /** Tests lead a service's connections through proxies. */
  readonly interpose?: (plan: ServicePlan) => Promise<ServicePlan>;
}

const HEALTH_POLL_MS = 100;
const READY_MS = 30_000;
const STARTED_MS = 10_000;
const HELD = { stop: 'stopped', kill: 'killed', pause: 'paused' } as const;
const RENEWAL_LOOK_MS = 3_600_000;

/** A whole cluster on this machine: its processes, their order, their data. */
export class LocalCluster implements Controlled {
  /** What it had to start without: one sentence for each process that will not run. */
  missing: readonly string[] = [];
  #supervisors: readonly Supervisor[] = [];
  readonly #startedAt = new Date().toISOString();
  #status: LocalClusterState['status'] = 'starting';
  readonly #renewals: NodeJS.Timeout;
  #control: Control | undefined;
  /** Opened at the first cut. */
  #links: Links | undefined;
  /** Those that run behind proxies: not every process of a member that was cut once. */
  readonly #cuttable = new WeakSet<Program>();
  /** By member. */
  readonly #plans = new Map<string, ServicePlan>();

  private constructor(
    readonly folder: DataFolder,
    private readonly site: Site,
    private readonly context: ClusterContext,
    private layout: Layout,
  ) {
    context.impatience.addEventListener('abort', () => {
      for (const supervisor of this.#supervisors) supervisor.kill();
    });
    this.#renewals = setInterval(() => void this.#renewCertificates(), RENEWAL_LOOK_MS).unref();
  }

  get gatewayUrls(): string[] {
    const scheme = this.security === null ? 'http' : 'https';
    return this.site.gatewayPorts.map((port) => `${scheme}://127.0.0.1:${port}`);
  }

  /** Null: an open cluster. */
  get security(): Security | null {
    return this.site.security;
  }

  get isServing(): boolean {
    return this.#status === 'healthy' || this.#status === 'degraded';
  }

  get #access(): GatewayAccess | null {
    return this.security && accessOf(this.security);
  }

  static async start(
    options: ClusterOptions & { readonly data: string },
    context: ClusterContext,
  ): Promise<LocalCluster> {
    const { shards, ephemeral, data } = options;
    const postgres = await postgresPrograms(options.postgres);
    const folder = await (ephemeral ? openEphemeralFolder(shards) : openDataFolder(data, shards));
    const names = folder.endedLeftovers.join(', ');
    if (names !== '') context.say(`✓ ended what an earlier start had left running: ${names}`);
    let cluster: LocalCluster | undefined;
    try {
      const ports = await gatewayPorts(options);
      const layout = nextLayout(readLayout(folder.path), options, folder.path);
      refuseOtherVersions(folder.path, shardsOf(layout), postgres);
      const security = options.secure ? await secure(folder.path, context.say) : null;
      const { root, environment } = context;
      const site = { root, environment, folder, postgres, gatewayPorts: ports, security };
      cluster = new LocalCluster(folder, site, context, layout);
      cluster.#keep(layout);
      cluster.#control = await Control.open(cluster);
      await cluster.#launch(options.nats);
      await cluster.#untilServing(options.timeout);
      return cluster;
    } catch (error) {
      await (cluster?.stop() ?? folder.release());
      throw error;
    }
  }

  async #launch(natsServers: number): Promise<void> {
    const nats = natsPrograms(this.site, natsServers).then((programs) =>
      settled(programs.map((program) => this.#run(program, programs.length > 1))),
    );
    // A cluster that has served does so without one of them.
    const { isFounded = false } = this.layout;
    const databases = shardsOf(this.layout).map(({ index }) => this.#runPostgres(index, isFounded));
    await settled<unknown>([nats, ...databases]);
    await settled(planServices(this.#plan()).map((plan) => this.#runService(plan)));
  }

  async #runPostgres(index: number, isSpared = false): Promise<void> {
    await this.#run(await postgresProgram(this.site, index), isSpared);
  }

  #plan(): ClusterPlan {
    const natsUrl = this.#of('nats-server')
      .map(({ program }) => program.url)
      .join();
    const databases = this.#of('postgres').map(({ program: { name, url } }) => [indexOf(name), url] as const);
    return { ...this.site, layout: this.layout, natsUrl, postgresUrls: new Map(databases) };
  }

  #of(service: Service): Supervisor[] {
    return this.#supervisors.filter(({ program }) => program.service === service);
  }

  async #runService(plan: ServicePlan): Promise<void> {
    const { interpose } = this.context;
    this.#plans.set(plan.member, plan);
    await this.#run(await serviceProgram(this.site, (await interpose?.(plan)) ?? plan));
  }

  /** Starts a program, and says so. One that can be spared for now is started again where it fails. */
  async #run(program: Program, isSpared = false): Promise<Program> {
    const { say, signal } = this.context;
    signal.throwIfAborted();
    const startedAt = performance.now();
    const supervisor = new Supervisor(program, say, () => {
      this.#forgetRemoved();
      this.#publish();
    });
    this.#supervisors = [...this.#supervisors, supervisor];
    await (isSpared ? supervisor.startOrTryAgain() : supervisor.start());
    if (supervisor.child === undefined) return program;
    const place = program.port === undefined ? 'a socket' : `port ${program.port}`;
    say(`✓ ${program.name.padEnd(20)} started on ${place} (${seconds(performance.now() - startedAt)})`);
    return program;
  }

  #keep(layout: Layout): void {
    writeLayout(this.folder.path, layout);
    this.layout = layout;
  }

  /** Gateways look at their files by themselves; nats-servers are told. */
  async #renewCertificates(): Promise<void> {
    if (this.security === null) return;
    const { say } = this.context;
    try {
      const renewed = await renewDue(this.security, say);
      if (renewed.includes('nats')) for (const server of this.#of('nats-server')) server.reload();
    } catch (error) {
      say(`✗ certificates could not be renewed: ${(error as Error).message}`);
    }
  }

  /** Starts a coordinator, which waits to be let in: at a free seat, or in the place of one, which ends if it still runs. */
  async addCoordinator(former?: string): Promise<{ member: string }> {
    const seat =
      former === undefined ? this.#freeSeat() : indexOf(this.#named(former, ['coordinator']).program.name);
    const member = `coordinator-${seat}`;
    await this.#end(member);
    // Of the member that was at this seat: nobody takes it back.
    await rm(coordinatorFolder(this.folder.path, seat), { recursive: true, force: true });
    const before = this.layout;
    this.#keep(withJoined(before, seat));
    try {
      await this.#runService(planCoordinator(this.#plan(), seat));
      await this.#untilStarted(member);
    } catch (error) {
      // A successor without data is wanted all the same: it is tried again by a restart, or at the next start.
      if (former === undefined) {
        await this.#end(member);
        this.#keep(before);
      }
      throw error;
    }
    return { member };
  }

  #freeSeat(): number {
    const running = coordinatorSeats(this.layout);
    const seat = numbers(COORDINATORS_MAX).find((one) => !running.includes(one));
    if (seat !== undefined) return seat;
    throw new StartError(`There are ${COORDINATORS_MAX} coordinators, as many as there may be.`);
  }

  /** Who was removed from its group is missed by nobody. (While all are stopped it is left: it says so at the next start again.) */
  #forgetRemoved(): void {
    const removed = this.#supervisors.filter(({ isRemoved }) => isRemoved);
    if (this.#control === undefined || removed.length === 0) return;
    this.#supervisors = this.#supervisors.filter(({ isRemoved }) => !isRemoved);
    for (const { program } of removed) {
      this.#control
        .inTurn(() => this.#forget(program))
        .catch((error: unknown) => {
          const why = (error as Error).message;
          this.context.say(`✗ what is left of ${program.name} cannot be cleared away: ${why}`);
        });
    }
  }

  /** With the database of a shard, which had nothing left that is not elsewhere. Its number is free when that is gone. */
  async #forget({ service, name }: Program): Promise<void> {
    const index = indexOf(name);
    if (service !== 'shard') return this.#keep(withRemoved(this.layout, index));
    this.#keep(withoutShard(this.layout, index));
    const database = postgresName(index);
    await this.#end(database);
    await rm(join(this.folder.path, database), { recursive: true, force: true });
    this.context.say(
      `✓ ${name} was removed from the cluster: ${database} is stopped, and its data are deleted`,
    );
  }

  /** For good. */
  async #end(name: string): Promise<void> {
    const present = this.#supervisors.find(({ program }) => program.name === name);
    await present?.stop();
    this.#supervisors = this.#supervisors.filter((one) => one !== present);
    this.#publish();
  }

  /** A further shard under the first name that is free, with a database of its own. */
  async addShard(wanted: ShardRequest): Promise<{ member: string }> {
    const taken = new Set(shardsOf(this.layout).map((shard) => shard.index));
    const index = numbers(SHARDS_MAX).find((one) => !taken.has(one));
    if (index === undefined) throw new StartError(`There are ${SHARDS_MAX} shards, as many as there may be.`);
    const before = this.layout;
    const { zone, weight } = wanted;
    const shard = { index, ...(zone !== undefined && { zone }), ...(weight !== undefined && { weight }) };
    await rm(join(this.folder.path, postgresName(index)), { recursive: true, force: true });
    this.#keep(withShard(before, shard));
    try {
      await this.#runPostgres(index);
      await this.#runService(planShard(this.#plan(), shard));
      await this.#untilStarted(`shard-${index}`);
    } catch (error) {
      for (const name of [`shard-${index}`, postgresName(index)]) await this.#end(name);
      this.#keep(before);
      throw error;
    }
    return { member: `shard-${index}` };
  }

  /** Who is asked for, one of these services. */
  #named(name: string, services: readonly Service[] = SERVICES): Supervisor {
    const candidates = services.flatMap((service) => this.#of(service));
    const found = candidates.find(({ program }) => program.name === name);
    if (found !== undefined) return found;
    const members = candidates.map(({ program }) => program.name).sort();
    throw new OperationalError('MEMBER_NOT_FOUND', `No ${name} is run by this cluster`, { name, members });
  }

  async act(member: string, action: MemberAction): Promise<string> {
    const present = this.#named(member);
    if (action === 'restart') return this.#restart(present);
    if (present.held !== null) {
      const detail = `${member} is ${present.held}: ringleader local restart ends that first`;
      throw new OperationalError('ALREADY_SO', detail, { name: member });
    }
    if (action === 'cut') return this.#cut(present);
    const how = HELD[action];
    await present.hold(how);
    return `${member} is ${how}, until it is restarted`;
  }

  /** Ends what was done to it; one to which nothing was done is stopped and started. */
  async #restart(present: Supervisor): Promise<string> {
    const { program, held } = present;
    if (held === 'paused') {
      present.goOn();
      return `${program.name} goes on`;
    }
    if (held === 'cut') {
      this.#links?.turn(program.name, 'nats', 'open');
      present.held = null;
      this.#publish();
      return `${program.name} is connected again`;
    }
    await this.#end(program.name);
    await this.#run(program);
    await this.#untilStarted(program.name);
    return `${program.name} runs again`;
  }

  /** Nothing is between a member and NATS while nobody wants to cut it, so it is started anew behind a proxy at the first time. */
  async #cut({ program }: Supervisor): Promise<string> {
    const { name } = program;
    const plan = this.#plans.get(name);
    if (plan === undefined) {
      const detail = `What is cut is a member's connection to NATS, and ${name} has none: stop, kill or pause it`;
      throw new OperationalError('INVALID_ARGUMENT', detail, { name });
    }
    this.#links ??= await Links.open();
    if (!this.#cuttable.has(program)) {
      const behind = await serviceProgram(this.site, await this.#links.toNats(plan));
      this.#cuttable.add(behind);
      await this.#end(name);
      await this.#run(behind);
      await this.#untilReady(behind);
    }
    this.#links.turn(name, 'nats', 'silent');
    this.#named(name).held = 'cut';
    this.#publish();
    return `${name} is cut off from NATS, until it is restarted`;
  }

  /** Or for so long: what does not get ready is cut all the same. */
  async #untilReady(program: Program): Promise<void> {
    const deadline = performance.now() + READY_MS;
    while (!(await probeSucceeds(program.url, 'readyz', this.#access)) && performance.now() < deadline)
      await delay(HEALTH_POLL_MS);
  }

  /** Until it has started, or for so long; an error where it ends before. (Servers serve when they are launched.) */
  async #untilStarted(name: string): Promise<void> {
    if (!this.#plans.has(name)) return;
    const deadline = performance.now() + STARTED_MS;
    for (;;) {
      const present = this.#named(name);
      const { program, restarts, refusal } = present;
      if (refusal !== undefined) throw new StartError(`${name} ended: ${refusal} (see ${program.logFile}).`);
      if (restarts > 0) throw new StartError(`${name} ends, and is started again: see ${program.logFile}.`);
      if ((await probeSucceeds(program.url, 'startupz', this.#access)) || performance.now() > deadline)
        return;
      await delay(HEALTH_POLL_MS);
    }
  }

  /** Until it is healthy, or serves all keys without those that will not run. */
  async #untilServing(timeoutSeconds: number): Promise<void> {
    const { say, signal } = this.context;
    const deadline = performance.now() + timeoutSeconds * 1000;
    let said = '';
    for (;;) {
      const { reasons, serves } = await clusterHealth(this.gatewayUrls, this.#access);
      signal.throwIfAborted();
      // Who refuses is missing whatever gateways say, who may still believe its last registration.
      const hopeless = this.#supervisors.filter(({ refusal, isHopeless }) =>
        reasons.length === 0 ? refusal !== undefined : isHopeless,
      );
      this.missing = hopeless.map(({ complaint }) => complaint);
      if (reasons.length === 0 || (serves && hopeless.length > 0)) break;
      this.#giveUpWithoutMajority();
      const text = reasons.slice(0, 3).join('; ');
      const late = `The cluster was not healthy within ${timeoutSeconds} s`;
      if (performance.now() > deadline) throw new StartError(`${late}: ${text} (see ${this.folder.logs}).`);
      if (text !== said) say(`… ${text}`);
      said = text;
      await delay(HEALTH_POLL_MS, undefined, { signal });
    }
    const isWhole = this.missing.length === 0;
    if (isWhole && this.layout.isFounded !== true) this.#keep({ ...this.layout, isFounded: true });
    this.#status = isWhole ? 'healthy' : 'degraded';
    this.#publish();
  }

  /** What the others cannot make up for: more than half of a service keeps ending, or refuses to run. */
  #giveUpWithoutMajority(): void {
    for (const service of SERVICES) {
      const all = this.#of(service);
      const [first, ...others] = all.filter(({ isHopeless }) => isHopeless);
      if (first !== undefined && (1 + others.length) * 2 > all.length)
        throw new StartError(`${first.complaint}.`);
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#renewals);
    this.#status = 'stopping';
    await this.#control?.close();
    this.#control = undefined;
    this.#publish();
    for (const service of SERVICES) {
      const group = this.#of(service);
      if (group.length === 0) continue;
      const startedAt = performance.now();
      await settled(group.map((supervisor) => supervisor.stop()));
      const names = group.map(({ program }) => program.name).join(', ');
      this.context.say(`✓ stopped ${names} (${seconds(performance.now() - startedAt)})`);
    }
    await this.#links?.close();
    await this.folder.release();
  }

  #publish(): void {
    const state: LocalClusterState = {
      formatVersion: 1,
      status: this.#status,
      supervisorPid: process.pid,
      startedAt: this.#startedAt,
      natsUrl: this.#plan().natsUrl,
      gatewayUrls: this.gatewayUrls,
      access: this.security && { caFile: this.security.caFile, tokenFile: this.security.rootTokenFile },
      control: this.#control?.place ?? null,
      processes: this.#supervisors.map((supervisor) => supervisor.state()),
    };
    try {
      writeClusterState(this.folder.path, state);
    } catch (error) {
      // What runs does not need it.
      this.context.say(`✗ the state file could not be written: ${(error as Error).message}`);
    }
  }
}

/** As in shard-3. */
const indexOf = (name: string): number => Number(name.split('-').at(-1));

/** Like Promise.all, but waits for the others before it fails: none is left starting behind our back. */
async function settled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
