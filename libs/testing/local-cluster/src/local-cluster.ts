import { processTree, sendSignal, until, workspaceRoot, type ChildExit } from '@ringleader/server-processes';
import {
  accessOf,
  askStarter,
  clusterHealth,
  gatewayFetch,
  readClusterState,
  type ClusterOptions,
  type GatewayAccess,
  type LinkState,
  type LinkTarget,
  type LocalClusterState,
  type LocalProcess,
  type MemberAction,
  type ShardRequest,
  type StarterPlace,
} from '@ringleader/tool-local-cluster';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { turnLinks } from './links.js';

/** Of `npm start`, and where and how it runs. */
export interface LocalClusterOptions extends Partial<Omit<ClusterOptions, 'ephemeral'>> {
  /** A temporary folder, removed by `dispose`, if not given. */
  readonly data?: string;
  /** Added to the environment: `RINGLEADER_*` reaches every service. */
  readonly env?: Readonly<Record<string, string>>;
  /** Connections to NATS and PostgreSQL can be cut, by `turn`. */
  readonly cuttable?: boolean;
  /** The checkout to start from, and the Node to start it with, if not this one's. */
  readonly root?: string;
  readonly node?: string;
  /** Put before the command line, to start it as somebody else. */
  readonly prefix?: readonly string[];
}

/** As `npm start` takes them, but for the port. */
const USUAL = { shards: 3, gateways: 1, coordinators: 3, nats: 1, timeout: 90, port: 0, secure: false };

/** Has no bootstrap before it: the build makes it, and this process is its lifeline. */
const CUTTABLE_STARTER = fileURLToPath(new URL('../dist/cuttable-starter.js', import.meta.url));

/** How long a process may take to be started again, and the starter to stop everything. */
const RESTART_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 60_000;
const SHARD_TIMEOUT_MS = 60_000;
const MOVES_TIMEOUT_MS = 300_000;
/** A member that came and went stays a suspect for up to a minute (`damping` of the failure detectors). */
const HEALTHY_TIMEOUT_MS = 120_000;

/**
 * A cluster as `npm start` runs it, driven by a program: for tests and benchmarks. The starter is a process of its
 * own, so a test can kill it too.
 */
export class LocalClusterHandle {
  #gone: ChildExit | undefined;
  #text = '';
  /** What a gateway answered last, for who waits in vain. */
  #answered = 'nothing was asked';
  readonly #answers = { seen: (): string => this.#answered };

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
    const { env, cuttable = false, root = workspaceRoot(), node = process.execPath, prefix = [] } = options;
    const { shards, gateways, coordinators, nats, timeout, port, secure } = { ...USUAL, ...options };
    const data = resolve(options.data ?? (await mkdtemp(join(tmpdir(), 'ringleader-cluster-'))));
    const numbers = { shards, gateways, coordinators, nats, timeout, port };
    const folders = { data, ...(options.postgres !== undefined && { postgres: resolve(options.postgres) }) };
    const flags = Object.entries({ ...numbers, ...folders }).flatMap(([name, value]) => [
      `--${name}`,
      `${value}`,
    ]);
    if (secure) flags.push('--secure');
    const program = cuttable
      ? [CUTTABLE_STARTER, JSON.stringify({ ...numbers, ...folders, ephemeral: false, secure })]
      : [join(root, 'tools/bootstrap/start.mjs'), ...flags];
    const [command = node, ...args] = [...prefix, node, ...program];
    const starter = spawn(command, args, {
      cwd: root,
      // A test that is killed leaves no cluster behind: the bootstrap watches its parent as under npm, the other starter a pipe.
      env: { ...process.env, npm_lifecycle_event: 'start', RINGLEADER_LIFELINE_FD: '3', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
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

  state(): Promise<LocalClusterState> {
    return readClusterState(this.dataFolder);
  }

  async gatewayUrls(): Promise<readonly string[]> {
    return (await this.state()).gatewayUrls;
  }

  /** What a client of a secure cluster needs; null: this is an open one. */
  async access(): Promise<GatewayAccess | null> {
    const { access } = await this.state();
    return access && accessOf({ caFile: access.caFile, rootTokenFile: access.tokenFile });
  }

  async process(member: string): Promise<LocalProcess> {
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

  /** As `ringleader local stop|kill|pause|cut|restart` does: what is ended so is not started again before it is restarted. */
  async act(member: string, action: MemberAction): Promise<void> {
    await askStarter(await this.control(), `/members/${member}/${action}`);
  }

  /** As `ringleader local add-shard` does. Resolves when the shard is part of the cluster, and gives its name. */
  async addShard(wanted: ShardRequest = {}): Promise<string> {
    const { member } = (await askStarter(await this.control(), '/shards', wanted)) as { member: string };
    const isPart = async (): Promise<boolean> => (await this.shard(member)) !== undefined;
    await until(`${member} is part of the cluster`, isPart, {
      ...this.#answers,
      timeoutMs: SHARD_TIMEOUT_MS,
    });
    return member;
  }

  /** Drains the shard, removes it, and waits for the end of its process. */
  async removeShard(shard: string, timeoutMs = MOVES_TIMEOUT_MS): Promise<void> {
    await this.command('POST', `/shards/${shard}:drain`);
    const isDrained = async (): Promise<boolean> => (await this.shard(shard))?.state === 'drained';
    await until(`${shard} is drained`, isDrained, { ...this.#answers, timeoutMs, everyMs: 200 });
    await this.command('DELETE', `/shards/${shard}`);
    const isGone = async (): Promise<boolean> =>
      !(await this.state()).processes.some(({ member }) => member === shard);
    await until(`${shard} ends`, isGone, { timeoutMs: SHARD_TIMEOUT_MS });
  }

  /** All that the plan wants is done: no move is under way or planned, no leader is to change. */
  async untilNothingMoves(timeoutMs = MOVES_TIMEOUT_MS): Promise<void> {
    const isDone = async (): Promise<boolean> => {
      const plan = (await this.ask('/plan')) as { movesTotal: number; leaderChanges: number } | undefined;
      return plan?.movesTotal === 0 && plan.leaderChanges === 0;
    };
    await until('nothing is to be moved', isDone, { ...this.#answers, timeoutMs, everyMs: 200 });
  }

  private async control(): Promise<StarterPlace> {
    const { control } = await this.state();
    if (control === null) throw new Error('the starter does not run');
    return control;
  }

  private shard(name: string): Promise<{ readonly state: string } | undefined> {
    return this.ask(`/shards/${name}`) as Promise<{ readonly state: string } | undefined>;
  }

  /** Undefined where it does not answer, or refuses. */
  private async ask(path: string): Promise<unknown> {
    try {
      const answer = await this.cluster(path);
      const text = await answer.text();
      this.#answered = `GET ${path}: ${answer.status} ${text}`;
      return answer.ok ? JSON.parse(text) : undefined;
    } catch (error) {
      this.#answered = `GET ${path}: ${inspect(error)}`;
      return undefined;
    }
  }

  /** Until it is taken: by then the coordinators may have another leader. */
  private async command(method: string, path: string): Promise<void> {
    const isTaken = async (): Promise<boolean> => {
      const answer = await this.cluster(path, { method });
      const text = await answer.text();
      this.#answered = `${method} ${path}: ${answer.status} ${text}`;
      return answer.ok || text.includes('ALREADY_SO');
    };
    const limits = { ...this.#answers, timeoutMs: SHARD_TIMEOUT_MS, everyMs: 250 };
    await until(`${method} ${path} is taken`, isTaken, limits);
  }

  /** Below /v1/cluster of the first gateway. */
  private async cluster(path: string, init: { readonly method?: string } = {}): Promise<Response> {
    const [url = ''] = await this.gatewayUrls();
    return gatewayFetch(`${url}/v1/cluster${path}`, await this.access(), init);
  }

  /** Resolves when the member runs under another process id than `previous`. */
  async untilRestarted(member: string, previous: number): Promise<void> {
    const isBack = async () => ![null, previous].includes((await this.process(member)).pid);
    await until(`${member} is started again`, isBack, { timeoutMs: RESTART_TIMEOUT_MS });
  }

  async untilHealthy(timeoutMs = HEALTHY_TIMEOUT_MS): Promise<void> {
    const [urls, access] = [await this.gatewayUrls(), await this.access()];
    let reasons: readonly string[] = [];
    const isHealthy = async () => ({ reasons } = await clusterHealth(urls, access)).reasons.length === 0;
    await until('the cluster is healthy again', isHealthy, { timeoutMs, everyMs: 50 }).catch(
      (error: unknown) => {
        throw new Error(`${(error as Error).message}: ${reasons.join('; ')}`, { cause: error });
      },
    );
  }

  /** As Ctrl-C does. Resolves when the starter has ended. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<ChildExit> {
    if (this.#gone === undefined) this.starter.kill(signal);
    return this.untilExit();
  }

  async untilExit(timeoutMs = STOP_TIMEOUT_MS): Promise<ChildExit> {
    await until('the starter ends', () => this.#gone !== undefined, { timeoutMs });
    return this.#gone ?? { code: null, signal: null };
  }

  /** Stops, and removes the data if nobody else named their place. */
  async dispose(): Promise<void> {
    await this.stop();
    if (this.dataIsOurs) await rm(this.dataFolder, { recursive: true, force: true });
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
