import { RestartBackOff } from '@ringleader/primitives';
import { describeExit, lastLines, type Child } from '@ringleader/server-processes';
import { setTimeout as delay } from 'node:timers/promises';
import type { Service } from './services.js';
import { seconds, type Output } from './terminal.js';

const BACK_OFF = { firstMs: 100, maxMs: 10_000 };
/** A process that ran this long has earned a quick restart. */
const STABLE_MS = 10_000;
const LINES_SHOWN = 12;

export interface Program {
  readonly service: Service;
  readonly member: string;
  /** Undefined for what listens on a Unix socket only. */
  readonly port?: number | undefined;
  readonly url: string;
  readonly logFile: string;
  /** Starts the process and resolves when it runs (a server: when it serves). */
  launch(): Promise<Child>;
  /** Ends it cleanly, within a bounded time. */
  shutdown(child: Child): Promise<void>;
}

/** Keeps one program running until it is told to stop: a process that ends is shown at once and started again. */
export class Supervisor {
  readonly #backOff = new RestartBackOff(BACK_OFF, STABLE_MS);
  readonly #stopping = new AbortController();
  #child: Child | undefined;
  #restarts = 0;
  #loop: Promise<void> = Promise.resolve();

  constructor(
    readonly program: Program,
    private readonly output: Output,
    private readonly changed: () => void,
  ) {}

  /** The process, while it runs. */
  get child(): Child | undefined {
    return this.#child?.exit() === undefined ? this.#child : undefined;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** The first start: its failure is the caller's. */
  async start(): Promise<void> {
    const child = await this.#launch();
    this.#loop = this.#keepRunning(child);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.child !== undefined) await this.program.shutdown(this.child);
    await this.#loop;
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
    return child;
  }

  async #keepRunning(first: Child): Promise<void> {
    const { member, logFile } = this.program;
    const { signal } = this.#stopping;
    let ending = await this.#endOf(first);
    while (!signal.aborted) {
      const waitMs = this.#backOff.failed(performance.now());
      const lines = (await lastLines(logFile, LINES_SHOWN)).map((line) => `    ${line}`);
      const next = `starting it again in ${seconds(waitMs)}. The end of ${logFile}:`;
      this.output.line([`✗ ${member} ${ending}; ${next}`, ...lines].join('\n'));
      this.#restarts += 1;
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) ending = await this.#again();
    }
  }

  async #again(): Promise<string> {
    const { member } = this.program;
    try {
      const child = await this.#launch();
      if (this.#stopping.signal.aborted) await this.program.shutdown(child);
      else this.output.line(`✓ ${member} runs again (process ${child.pid})`);
      return await this.#endOf(child);
    } catch (error) {
      this.output.line(`✗ ${member}: ${(error as Error).message}`);
      return 'could not be started again';
    }
  }

  async #endOf(child: Child): Promise<string> {
    const ending = `ended with ${describeExit(await child.exited)}`;
    this.changed();
    return ending;
  }
}
