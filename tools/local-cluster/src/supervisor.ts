import { describeExit, lastLines, type Child } from '@ringleader/server-processes';
import { setTimeout as delay } from 'node:timers/promises';
import { seconds, type Output } from './console-output.js';
import type { Service } from './services.js';

const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 10_000;
/** A process that ran this long has earned a quick restart. */
const STABLE_MS = 10_000;
const LINES_SHOWN = 12;

export interface Program {
  readonly service: Service;
  readonly member: string;
  readonly port: number;
  readonly url?: string;
  readonly logFile: string;
  /** Starts the process and resolves when it runs (a database: when it accepts connections). */
  launch(): Promise<Child>;
  /** Ends it cleanly, within a bounded time. */
  shutdown(child: Child): Promise<void>;
}

/** How long to wait before the next start, after so many short lives in a row. */
export function backoffMs(shortLives: number): number {
  return Math.min(BACKOFF_FIRST_MS * 2 ** Math.max(0, shortLives - 1), BACKOFF_MAX_MS);
}

/** Keeps one program running until it is told to stop: a process that ends is shown at once and started again. */
export class Supervisor {
  #child: Child | undefined;
  #stopping = new AbortController();
  #restarts = 0;
  #loop: Promise<void> = Promise.resolve();

  constructor(
    readonly program: Program,
    private readonly output: Output,
    private readonly changed: () => void,
  ) {}

  get pid(): number | undefined {
    return this.#child?.exit() === undefined ? this.#child?.pid : undefined;
  }

  /** Tells the process from a later one with the same id. */
  get identity(): string | undefined {
    return this.#child?.identity;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** The first start: its failure is the caller's. */
  async start(): Promise<void> {
    this.#adopt(await this.program.launch());
    this.#loop = this.#keepRunning();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#child !== undefined) await this.program.shutdown(this.#child);
    await this.#loop;
  }

  /** Without asking: for a second Ctrl-C. */
  kill(): void {
    this.#stopping.abort();
    this.#child?.signal('SIGKILL');
  }

  #adopt(child: Child): void {
    this.#child = child;
    this.changed();
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #keepRunning(): Promise<void> {
    let shortLives = 0;
    while (!this.#isStopping()) {
      const startedAt = performance.now();
      const ending = await this.#untilEnd();
      if (this.#isStopping()) return;
      shortLives = performance.now() - startedAt > STABLE_MS ? 1 : shortLives + 1;
      await this.#again(ending, backoffMs(shortLives));
    }
  }

  async #untilEnd(): Promise<string> {
    const child = this.#child;
    if (child === undefined) return 'could not be started again';
    const ending = `ended with ${describeExit(await child.exited)}`;
    this.changed();
    return ending;
  }

  async #again(ending: string, waitMs: number): Promise<void> {
    const { member, logFile } = this.program;
    const lines = (await lastLines(logFile, LINES_SHOWN)).map((line) => `    ${line}`);
    this.output.line(
      `✗ ${member} ${ending}; starting it again in ${seconds(waitMs)}. The end of ${logFile}:`,
    );
    this.output.line(lines.join('\n'));
    this.#restarts += 1;
    await delay(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    if (this.#isStopping()) return;
    try {
      const child = await this.program.launch();
      this.#adopt(child);
      if (this.#isStopping()) await this.program.shutdown(child);
      else this.output.line(`✓ ${member} runs again (process ${child.pid})`);
    } catch (error) {
      this.#child = undefined;
      this.output.line(`✗ ${member}: ${(error as Error).message}`);
    }
  }
}
