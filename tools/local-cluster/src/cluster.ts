import { StartError } from '@ringleader/server-processes';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openDataFolder, openEphemeralFolder, type DataFolder } from './data-folder.js';
import { clusterHealth } from './health.js';
import {
  coordinatorSeats,
  nextLayout,
  readLayout,
  withJoined,
  withRemoved,
  writeLayout,
  type Layout,
} from './layout.js';
import { natsPrograms, postgresProgram, serviceProgram, type Surroundings } from './programs.js';
import {
  choosePorts,
  COORDINATORS_MAX,
  coordinatorFolder,
  natsUrlOf,
  numbers,
  planCoordinator,
  planServices,
  SERVICES,
  type ClusterOptions,
  type ClusterPorts,
  type ServicePlan,
} from './services.js';
import { writeClusterState, type ClusterState } from './state-file.js';
import { seconds, Supervisor, type Program, type Say } from './supervisor.js';

export interface ClusterContext {
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly say: Say;
  /** Aborted when the start is to be given up. */
  readonly signal: AbortSignal;
  /** Tests lead a service's connections through proxies. */
  readonly interpose?: (plan: ServicePlan) => Promise<ServicePlan>;
}

/** A service that ends so often before the cluster serves will not recover by being started again. */
const CRASHES_TOLERATED = 6;
const HEALTH_POLL_MS = 100;
const REQUEST_POLL_MS = 250;
/** The names of files by which `ringleader local` asks for a coordinator: for one more, or for another in the place of one. */
const REQUEST = /^(?:add-coordinator|replace-coordinator-([1-9]))$/;

/** A whole cluster on this machine: its processes, their order, their data. */
export class LocalCluster {
  /** What it had to start without: one sentence for each process that will not run. */
  missing: readonly string[] = [];
  readonly #supervisors: Supervisor[] = [];
  readonly #startedAt = new Date().toISOString();
  #status: ClusterState['status'] = 'starting';
  readonly #additions: NodeJS.Timeout;
  #isAdding = false;

  private constructor(
    readonly folder: DataFolder,
    readonly ports: ClusterPorts,
    private readonly context: ClusterContext,
    private layout: Layout,
  ) {
    this.#additions = setInterval(() => void this.#lookForRequest(), REQUEST_POLL_MS).unref();
  }

  get gatewayUrls(): string[] {
    return this.ports.gateways.map((port) => `http://127.0.0.1:${port}`);
  }

  static async start(
    options: ClusterOptions & { readonly data: string },
    context: ClusterContext,
  ): Promise<LocalCluster> {
    const { shards, ephemeral, data } = options;
    const folder = await (ephemeral ? openEphemeralFolder(shards) : openDataFolder(data, shards));
    const names = folder.endedLeftovers.join(', ');
    if (names !== '') context.say(`✓ ended what an earlier start had left running: ${names}`);
    let cluster: LocalCluster | undefined;
    try {
      const ports = await choosePorts(options);
      const layout = nextLayout(readLayout(folder.path), options, folder.path);
      writeLayout(folder.path, layout);
      cluster = new LocalCluster(folder, ports, context, layout);
      await cluster.#launch();
      await cluster.#untilServing(options.timeout);
      if (layout.isFounded !== true && cluster.missing.length === 0)
        cluster.#keep({ ...cluster.layout, isFounded: true });
      return cluster;
    } catch (error) {
      if (cluster === undefined) await folder.release();
      else await cluster.stop();
      throw error;
    }
  }

  async #launch(): Promise<void> {
    const { layout, surroundings } = this;
    const nats = natsPrograms(surroundings, this.ports).map((prepare) => this.#step(prepare));
    const databases = numbers(layout.shards).map((i) => this.#step(() => postgresProgram(surroundings, i)));
    await settled([...nats, ...databases]);
    const plans = planServices({
      dataFolder: this.folder.path,
      layout,
      ports: this.ports,
      postgresUrls: (await Promise.all(databases)).map(({ url }) => url),
    });
    await settled(plans.map((plan) => this.#startService(plan)));
  }

  get surroundings(): Surroundings {
    const { root, environment } = this.context;
    return { root, environment, folder: this.folder };
  }

  #startService(plan: ServicePlan): Promise<Program> {
    return this.#step(async () =>
      serviceProgram(this.surroundings, (await this.context.interpose?.(plan)) ?? plan),
    );
  }

  #keep(layout: Layout): void {
    this.layout = layout;
    writeLayout(this.folder.path, layout);
  }

  /** `ringleader local` asks by a file: whatever process has the supervisor's id by then is not disturbed. */
  async #lookForRequest(): Promise<void> {
    if (this.#isAdding || this.#status === 'starting') return;
    this.#isAdding = true;
    try {
      const request = (await readdir(this.folder.path)).find((name) => REQUEST.test(name));
      if (request === undefined) return;
      await rm(join(this.folder.path, request));
      const [, seat] = REQUEST.exec(request) ?? [];
      await (seat === undefined ? this.#addCoordinator() : this.#replaceCoordinator(Number(seat)));
    } catch (error) {
      this.context.say(`✗ no coordinator could be added: ${(error as Error).message}`);
    } finally {
      this.#isAdding = false;
    }
  }

  /** One more, which waits to be let in. */
  async #addCoordinator(): Promise<void> {
    const running = coordinatorSeats(this.layout);
    const seat = numbers(COORDINATORS_MAX).find((one) => !running.includes(one));
    if (seat === undefined) throw new StartError('there are as many as there may be.');
    await this.#join(seat);
  }

  /** Ends the one at the seat, if it still runs, and starts another there, which waits to take its place. */
  async #replaceCoordinator(seat: number): Promise<void> {
    const present = this.#supervisors.find(({ program }) => program.name === `coordinator-${seat}`);
    if (present === undefined) throw new StartError(`coordinator-${seat} is none of this cluster.`);
    await present.stop();
    this.#supervisors.splice(this.#supervisors.indexOf(present), 1);
    await this.#join(seat);
  }

  async #join(seat: number): Promise<void> {
    // Of the member that was at this seat: nobody takes it back.
    await rm(coordinatorFolder(this.folder.path, seat), { recursive: true, force: true });
    this.#keep(withJoined(this.layout, seat));
    const place = { dataFolder: this.folder.path, ports: this.ports };
    await this.#startService(await planCoordinator(place, this.layout, seat));
  }

  /** Who was removed from its group is missed by nobody. */
  #forgetRemoved(): void {
    for (const supervisor of this.#supervisors.filter(isRemoved)) {
      this.#supervisors.splice(this.#supervisors.indexOf(supervisor), 1);
      this.#keep(withRemoved(this.layout, Number(supervisor.program.name.split('-').at(-1))));
    }
  }

  /** Prepares and starts one program, and says so. */
  async #step(prepare: () => Promise<Program>): Promise<Program> {
    const startedAt = performance.now();
    const program = await prepare();
    this.context.signal.throwIfAborted();
    const supervisor = new Supervisor(program, this.context.say, () => {
      this.#forgetRemoved();
      this.#publish();
    });
    this.#supervisors.push(supervisor);
    await supervisor.start();
    const took = seconds(performance.now() - startedAt);
    const place = program.port === undefined ? 'a socket' : `port ${program.port}`;
    this.context.say(`✓ ${program.name.padEnd(20)} started on ${place} (${took})`);
    return program;
  }

  /** Until it is healthy, or serves all keys without those that will not run. */
  async #untilServing(timeoutSeconds: number): Promise<void> {
    const deadline = performance.now() + timeoutSeconds * 1000;
    let said = '';
    for (;;) {
      const { reasons, serves } = await clusterHealth(this.gatewayUrls);
      this.context.signal.throwIfAborted();
      // Who refuses is missing whatever gateways say, who may still believe its last registration.
      const hopeless = this.#supervisors.filter(reasons.length === 0 ? refuses : isHopeless);
      this.missing = hopeless.map(whyHopeless);
      if (reasons.length === 0 || (serves && hopeless.length > 0)) break;
      this.#giveUpWithoutMajority();
      const text = reasons.slice(0, 3).join('; ');
      if (performance.now() > deadline) {
        throw new StartError(
          `The cluster was not healthy within ${timeoutSeconds} s: ${text} (see ${this.folder.logs}).`,
        );
      }
      if (text !== said) this.context.say(`… ${text}`);
      said = text;
      await delay(HEALTH_POLL_MS, undefined, { signal: this.context.signal });
    }
    this.#status = this.missing.length === 0 ? 'healthy' : 'degraded';
    this.#publish();
  }

  /** What the others cannot make up for: more than half of a service keeps ending, or refuses to run. */
  #giveUpWithoutMajority(): void {
    const hopeless = this.#supervisors.filter(isHopeless);
    const lost = hopeless.find(({ program: { service } }) => {
      const of = (some: readonly Supervisor[]) => some.filter(({ program }) => program.service === service);
      return of(hopeless).length * 2 > of(this.#supervisors).length;
    });
    if (lost !== undefined) throw new StartError(`${whyHopeless(lost)}.`);
  }

  async stop(): Promise<void> {
    clearInterval(this.#additions);
    this.#status = 'stopping';
    this.#publish();
    for (const service of SERVICES) {
      const group = this.#supervisors.filter(({ program }) => program.service === service);
      if (group.length === 0) continue;
      const startedAt = performance.now();
      await settled(group.map((supervisor) => supervisor.stop()));
      const names = group.map(({ program }) => program.name).join(', ');
      this.context.say(`✓ stopped ${names} (${seconds(performance.now() - startedAt)})`);
    }
    await this.folder.release();
  }

  /** Ends everything at once. The data stay as after a crash, which is what they are made for. */
  kill(): void {
    for (const supervisor of this.#supervisors) supervisor.kill();
  }

  #publish(): void {
    const state: ClusterState = {
      formatVersion: 1,
      status: this.#status,
      supervisorPid: process.pid,
      startedAt: this.#startedAt,
      natsUrl: natsUrlOf(this.ports),
      gatewayUrls: this.gatewayUrls,
      processes: this.#supervisors.map(({ program, child, restarts }) => ({
        service: program.service,
        member: program.name,
        pid: child?.pid ?? null,
        identity: child?.identity ?? null,
        port: program.port ?? null,
        url: program.url,
        log: program.logFile,
        restarts,
      })),
    };
    try {
      writeClusterState(this.folder.path, state);
    } catch (error) {
      // What runs does not need it.
      this.context.say(`✗ the state file could not be written: ${(error as Error).message}`);
    }
  }
}

const isRemoved = ({ refusal }: Supervisor): boolean => refusal?.startsWith('MEMBER_REMOVED') === true;
const refuses = ({ refusal }: Supervisor): boolean => refusal !== undefined;

function isHopeless(supervisor: Supervisor): boolean {
  return refuses(supervisor) || supervisor.restarts >= CRASHES_TOLERATED;
}

function whyHopeless({ refusal, program: { name, logFile } }: Supervisor): string {
  return `${name} ${refusal === undefined ? 'keeps ending' : 'refuses to run'}: see ${logFile}`;
}

/** Like Promise.all, but waits for the others before it fails: none is left starting behind our back. */
async function settled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
