import { EXIT_DO_NOT_RESTART, type LocalProcess } from '@ringleader/contracts';
import { RestartBackOff } from '@ringleader/primitives';
import {
  describeExit,
  lastLines,
  processTree,
  sendSignal,
  type Child,
  type LocalServer,
} from '@ringleader/server-processes';
import { pauseUnlessAborted } from '@ringleader/timers';
import type { Service } from './services.js';

const BACK_OFF = { firstMs: 100, maxMs: 10_000 };
/** A process that ran this long has earned a quick restart. */
const STABLE_MS = 10_000;
const LINES_SHOWN = 12;

/** A service that ends so often before the cluster serves will not recover by being started again. */
const CRASHES_TOLERATED = 6;

/** A line, or some, for the person at the terminal. */
export type Say = (text: string) => void;

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** A process of the cluster: how to run it, as often as needed. */
export interface Program extends LocalServer {
  readonly service: Service;
}

/**
 * Keeps one program running until it is told to stop: a process that ends is shown at once and started again, unless it
 * says by its exit code that no start mends what ails it.
 */
export class Supervisor {
  readonly #backOff = new RestartBackOff(BACK_OFF, STABLE_MS);
  readonly #stopping = new AbortController();
  restarts = 0;
  /** Why it ended for good, in its own words. */
  refusal: string | undefined;
  /** What was done to it on purpose. */
  held: LocalProcess['held'] = null;
  #child: Child | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(
    readonly program: Program,
    private readonly say: Say,
    private readonly changed: () => void,
  ) {}

  /** The process, while it runs. */
  get child(): Child | undefined {
    return this.#child?.exit() === undefined ? this.#child : undefined;
  }

  get isRemoved(): boolean {
    return /^(?:MEMBER|SHARD)_REMOVED/.test(this.refusal ?? '');
  }

  get isHopeless(): boolean {
    return this.refusal !== undefined || this.restarts >= CRASHES_TOLERATED;
  }

  /** Why it will not serve, for one that is hopeless. */
  get complaint(): string {
    const { name, logFile } = this.program;
    return `${name} ${this.refusal === undefined ? 'keeps ending' : 'refuses to run'}: see ${logFile}`;
  }

  state(): LocalProcess {
    const { service, name: member, port = null, url, logFile: log } = this.program;
    const { pid = null, identity = null } = this.child ?? {};
    return { service, member, pid, identity, port, url, log, restarts: this.restarts, held: this.held };
  }

  /** The first start: its failure is the caller's, and nothing is tried again before somebody says so. */
  async start(): Promise<void> {
    const starting = this.#launch();
    this.#loop = starting.then(
      (child) => this.#keepRunning(this.#endOf(child)),
      () => undefined,
    );
    try {
      await starting;
    } catch (error) {
      this.held = 'stopped';
      this.changed();
      throw error;
    }
  }

  /** The first start of what others go on without: where it fails it is tried again, as a later one is. Settles after the first attempt. */
  async startOrTryAgain(): Promise<void> {
    await this.start().catch((error: unknown) => {
      if (this.#stopping.signal.aborted) return;
      this.held = null;
      this.#loop = this.#keepRunning(Promise.resolve(`could not be started: ${(error as Error).message}`));
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.held === 'paused') this.#signalTree('SIGCONT');
    await this.child?.stop();
    await this.#loop;
  }

  /** On purpose: what ends is not started again. */
  async hold(how: 'stopped' | 'killed' | 'paused'): Promise<void> {
    if (how === 'paused') {
      // One that is being started again stands still when it is.
      this.held = how;
      this.#signalTree('SIGSTOP');
    } else if (how === 'stopped') await this.stop();
    else {
      this.kill();
      await this.#loop;
    }
    this.held = how;
    this.changed();
  }

  /** Of a program that reads its files again at this signal. */
  reload(): void {
    this.child?.signal('SIGHUP');
  }

  /** After a pause. */
  goOn(): void {
    this.#signalTree('SIGCONT');
    this.held = null;
    this.changed();
  }

  /** With what it has started itself, as PostgreSQL's processes; where that cannot be told, it alone. */
  #signalTree(signal: NodeJS.Signals): void {
    const { pid } = this.child ?? {};
    if (pid === undefined) return;
    for (const one of process.platform === 'linux' ? processTree(pid) : [pid]) sendSignal(one, signal);
  }

  /** Without asking: for a second Ctrl-C. */
  kill(): void {
    this.#stopping.abort();
    this.child?.signal('SIGKILL');
  }

  async #launch(): Promise<Child> {
    const child = await this.program.launch();
    this.#child = child;
    this.#backOff.started(performance.now());
    this.changed();
    // What was asked for while it was launched.
    if (this.#stopping.signal.aborted) await child.stop();
    else if (this.held === 'paused') this.#signalTree('SIGSTOP');
    return child;
  }

  /** From how the first attempt ended. */
  async #keepRunning(first: Promise<string | undefined>): Promise<void> {
    const { name, logFile } = this.program;
    const { signal } = this.#stopping;
    let how = await first;
    while (!signal.aborted && how !== undefined) {
      const waitMs = this.#backOff.failed(performance.now());
      const lines = (await lastLines(logFile, LINES_SHOWN)).map((line) => `    ${line}`);
      const next = `starting it again in ${seconds(waitMs)}. The end of ${logFile}:`;
      this.say([`✗ ${name} ${how}; ${next}`, ...lines].join('\n'));
      this.restarts += 1;
      if (await pauseUnlessAborted(waitMs, signal)) how = await this.#again();
    }
  }

  async #again(): Promise<string | undefined> {
    try {
      const child = await this.#launch();
      if (child.exit() === undefined) this.say(`✓ ${this.program.name} runs again (process ${child.pid})`);
      return await this.#endOf(child);
    } catch (error) {
      return `could not be started again: ${(error as Error).message}`;
    }
  }

  /** How the process ended, once it has; undefined: for good. */
  async #endOf(child: Child): Promise<string | undefined> {
    const ending = await child.exited;
    this.changed();
    const how = `ended with ${describeExit(ending)}`;
    if (ending.code !== EXIT_DO_NOT_RESTART) return how;
    const { name, logFile } = this.program;
    this.refusal = lastWords(await lastLines(logFile, LINES_SHOWN));
    this.say(`✗ ${name} ${how}, which no restart mends: ${this.refusal} (see ${logFile})`);
    this.changed();
    return undefined;
  }
}

/** Code and message of the last fatal line that is whole: services log JSON, which a crash may have torn. */
function lastWords(lines: readonly string[]): string {
  for (const line of lines.filter((one) => one.includes('"level":"fatal"')).reverse()) {
    try {
      const { code = 'crashed', msg } = JSON.parse(line) as { readonly code?: string; readonly msg: string };
      return `${code}: ${msg}`;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return lines.at(-1) ?? '';
}
