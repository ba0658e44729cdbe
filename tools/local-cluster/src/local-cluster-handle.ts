import { processTree, until, workspaceRoot } from '@ringleader/server-processes';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterHealth } from './health.js';
import { turnLinks, type LinkState, type LinkTarget } from './links.js';
import { readClusterState, type ClusterState, type ProcessState } from './state-file.js';

export interface LocalClusterOptions {
  readonly shards?: number;
  readonly gateways?: number;
  readonly coordinators?: number;
  readonly nats?: number;
  /** Of the first gateway; free ones, if not given. */
  readonly port?: number;
  /** A temporary folder, removed by `dispose`, if not given. */
  readonly data?: string;
  /** Added to the environment: `RINGLEADER_*` reaches every service. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutSeconds?: number;
  /** Connections to NATS and PostgreSQL can be cut, by `turn`. */
  readonly cuttable?: boolean;
  /** The checkout to start from, and the Node to start it with, if not this one's. */
  readonly root?: string;
  readonly node?: string;
  /** Put before the command line, to start it as somebody else. */
  readonly prefix?: readonly string[];
}

export interface StarterExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How long a process may take to be started again, and the starter to stop everything. */
const RESTART_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 60_000;

/**
 * A cluster as `npm start` runs it, driven by a program: for tests and benchmarks. The starter is a process of its
 * own, so a test can kill it too.
 */
export class LocalClusterHandle {
  #gone: StarterExit | undefined;
  #text = '';

  private constructor(
    private readonly starter: ChildProcess,
    readonly dataFolder: string,
    private readonly dataIsOurs: boolean,
  ) {
    starter.stdout?.on('data', (chunk: Buffer) => (this.#text += chunk.toString('utf8')));
    starter.stderr?.on('data', (chunk: Buffer) => (this.#text += chunk.toString('utf8')));
    starter.once('close', (code, signal) => (this.#gone = { code, signal }));
  }

  static async spawn(options: LocalClusterOptions = {}): Promise<LocalClusterHandle> {
    const data = options.data ?? (await mkdtemp(join(tmpdir(), 'ringleader-cluster-')));
    const flags = {
      shards: options.shards,
      gateways: options.gateways,
      coordinators: options.coordinators,
      nats: options.nats,
      timeout: options.timeoutSeconds,
      port: options.port ?? 0,
      data,
    };
    const args = Object.entries(flags).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, String(value)],
    );
    const line = [
      ...(options.prefix ?? []),
      ...[
        options.node ?? process.execPath,
        join(options.root ?? workspaceRoot(), 'tools/bootstrap/start.mjs'),
        ...args,
      ],
    ];
    const [command = process.execPath, ...rest] = line;
    const cuttable = options.cuttable === true ? { RINGLEADER_CUTTABLE_LINKS: '1' } : {};
    const starter = spawn(command, rest, {
      ...(options.root === undefined ? {} : { cwd: options.root }),
      // A test that is killed leaves no cluster behind.
      env: { ...process.env, RINGLEADER_STOP_WITH_PARENT: '1', ...cuttable, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new LocalClusterHandle(starter, data, options.data === undefined);
  }

  /** The process that `npm start` runs. */
  get starterPid(): number {
    return this.starter.pid ?? 0;
  }

  /** What the starter has printed. */
  get output(): string {
    return this.#text;
  }

  /** Until it is healthy, or as healthy as it can become without those that refuse to run. */
  async untilStarted(timeoutMs = 180_000): Promise<void> {
    await until('the cluster has started', () => /^Ringleader is (healthy|degraded) /m.test(this.#text), {
      timeoutMs,
      failure: () => (this.#gone === undefined ? undefined : `the starter ended:\n${this.#text}`),
    });
  }

  state(): Promise<ClusterState> {
    return readClusterState(this.dataFolder);
  }

  async gatewayUrls(): Promise<readonly string[]> {
    return (await this.state()).gatewayUrls;
  }

  async process(member: string): Promise<ProcessState> {
    const { processes } = await this.state();
    const found = processes.find((process) => process.member === member);
    if (found === undefined)
      throw new Error(`there is no ${member} among ${processes.map((p) => p.member).join(', ')}`);
    return found;
  }

  /** The process id of a member that runs. */
  async pid(member: string): Promise<number> {
    const { pid } = await this.process(member);
    if (pid === null) throw new Error(`${member} does not run at this moment`);
    return pid;
  }

  /** Sends a signal to a member and gives the process id it had. */
  async signal(member: string, signal: NodeJS.Signals): Promise<number> {
    const pid = await this.pid(member);
    process.kill(pid, signal);
    return pid;
  }

  /** Sends a signal to a member and to all processes that it has started, as those of PostgreSQL. */
  async signalTree(member: string, signal: NodeJS.Signals): Promise<void> {
    for (const pid of processTree(await this.pid(member))) sendSignal(pid, signal);
  }

  /** Cuts the member's connections to NATS or to its database, or lets them go on. */
  turn(member: string, target: LinkTarget, state: LinkState): Promise<void> {
    return turnLinks(this.dataFolder, member, target, state);
  }

  /** Resolves when the member runs under another process id than `previous`. */
  async untilRestarted(member: string, previous: number): Promise<number> {
    let pid: number | null = null;
    await until(
      `${member} is started again`,
      async () => {
        ({ pid } = await this.process(member));
        return pid !== null && pid !== previous;
      },
      { timeoutMs: RESTART_TIMEOUT_MS },
    );
    return pid ?? 0;
  }

  async untilHealthy(timeoutMs = 60_000): Promise<void> {
    const urls = await this.gatewayUrls();
    let reasons: readonly string[] = [];
    await until(
      'the cluster is healthy again',
      async () => {
        ({ reasons } = await clusterHealth(urls));
        return reasons.length === 0;
      },
      { timeoutMs, everyMs: 50 },
    ).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}: ${reasons.join('; ')}`, { cause: error });
    });
  }

  /** As Ctrl-C does. Resolves when the starter has ended. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<StarterExit> {
    if (this.#gone === undefined) this.starter.kill(signal);
    return this.untilExit();
  }

  async untilExit(timeoutMs = STOP_TIMEOUT_MS): Promise<StarterExit> {
    await until('the starter ends', () => this.#gone !== undefined, { timeoutMs });
    return this.#gone ?? { code: null, signal: null };
  }

  /** Stops, and removes the data if nobody else named their place. */
  async dispose(): Promise<void> {
    await this.stop();
    if (this.dataIsOurs) await rm(this.dataFolder, { recursive: true, force: true });
  }
}

/** To who has ended meanwhile there is nothing to say. */
function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Starts a cluster and waits until it is healthy. */
export async function startLocalCluster(options: LocalClusterOptions = {}): Promise<LocalClusterHandle> {
  const cluster = await LocalClusterHandle.spawn(options);
  try {
    await cluster.untilStarted();
    return cluster;
  } catch (error) {
    await cluster.dispose();
    throw error;
  }
}
