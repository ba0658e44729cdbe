/**
 * How requests follow each other. Closed: each worker sends its next request when it has the answer to the last one. Open:
 * request n is due n intervals after the start, whatever became of those before, and its latency counts from then; a worker
 * that is free takes the next one that is due. So a server that stands is charged with all requests that were due meanwhile,
 * also with those that no worker was free to send (Tene, "How NOT to measure latency"). `load/loop.go` is the same in Go.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

export const PERCENTILES = ['50', '75', '90', '95', '99', '99.5', '99.9', '99.99', '100'] as const;
export type Percentile = (typeof PERCENTILES)[number];
export type Phase = 'begin' | 'end';

export interface LoopResult {
  /** That succeeded and ended while it was measured. */
  readonly requests: number;
  readonly failures: number;
  /** The first failure's message, or empty. */
  readonly failure: string;
  /** Requests of an open loop that were due and could not be sent in time: their latency is in none of the percentiles. */
  readonly unsent: number;
  readonly seconds: number;
  /** In milliseconds; NaN without any request. */
  readonly percentiles: Readonly<Record<Percentile, number>>;
  /** How late an open loop was itself while a worker was free: the 99th percentile. */
  readonly lagMs: number;
}

export interface LoopOptions {
  readonly workers: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Of an open loop; without it the loop is closed. */
  readonly perSecond?: number;
  /** How long after the end an open loop still sends what was due before it. */
  readonly graceMs?: number;
  /** Performs request number `n` (of the worker; of all in an open loop) and rejects if it failed. */
  readonly request: (worker: number, n: number) => Promise<void>;
  /** Called when the warm-up is over and when the measured part ends. */
  readonly onPhase?: (phase: Phase) => void;
  /** Milliseconds, always forward. */
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<unknown>;
  /** Ends the loop, which then rejects. */
  readonly ended?: AbortSignal;
}

const GRACE_MS = 10_000;
const HIGHEST_NS = 600_000_000_000;

/** Node's own HDR histogram, to three figures. */
export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({
    lowest: 1_000,
    highest: HIGHEST_NS,
    figures: 3,
  });

  record(ms: number): void {
    this.#histogram.record(Math.min(HIGHEST_NS, Math.max(1_000, Math.round(ms * 1e6))));
  }

  get count(): number {
    return this.#histogram.count;
  }

  at(percentile: number): number {
    if (this.count === 0) return Number.NaN;
    return (percentile === 100 ? this.#histogram.max : this.#histogram.percentile(percentile)) / 1e6;
  }

  percentiles(): Record<Percentile, number> {
    const entries = PERCENTILES.map((name) => [name, this.at(Number(name))] as const);
    return Object.fromEntries(entries) as Record<Percentile, number>;
  }
}

export async function runLoop(options: LoopOptions): Promise<LoopResult> {
  const loop = new Loop(options);
  await loop.run();
  return loop.result();
}

class Loop {
  readonly #options: Required<Omit<LoopOptions, 'perSecond' | 'ended'>> &
    Pick<LoopOptions, 'perSecond' | 'ended'>;
  readonly #launchMs: number;
  readonly #beginMs: number;
  readonly #endMs: number;
  readonly #latencies = new Latencies();
  readonly #lag = new Latencies();
  #phase: Phase | 'warm-up' = 'warm-up';
  #next = 0;
  #requests = 0;
  #failures = 0;
  #failure = '';
  #unsent = 0;

  constructor(options: LoopOptions) {
    const usual = { graceMs: GRACE_MS, onPhase: () => undefined, now: () => performance.now(), wait: delay };
    this.#options = { ...usual, ...options };
    this.#launchMs = this.#options.now();
    this.#beginMs = this.#launchMs + options.warmUpMs;
    this.#endMs = this.#beginMs + options.durationMs;
  }

  async run(): Promise<void> {
    const { workers, perSecond } = this.#options;
    this.#look(this.#launchMs);
    const each = (worker: number): Promise<void> =>
      perSecond === undefined ? this.#closed(worker) : this.#open(worker, 1_000 / perSecond);
    await Promise.all(Array.from({ length: workers }, (_, worker) => each(worker)));
    this.#look(Math.max(this.#options.now(), this.#endMs));
  }

  result(): LoopResult {
    return {
      requests: this.#requests,
      failures: this.#failures,
      failure: this.#failure,
      unsent: this.#unsent,
      seconds: this.#options.durationMs / 1_000,
      percentiles: this.#latencies.percentiles(),
      lagMs: this.#lag.at(99),
    };
  }

  async #closed(worker: number): Promise<void> {
    for (let n = 0; ; n += 1) {
      this.#options.ended?.throwIfAborted();
      const sentMs = this.#options.now();
      if (sentMs >= this.#endMs) return;
      const failure = await this.#send(worker, n);
      const doneMs = this.#options.now();
      this.#look(doneMs);
      if (doneMs < this.#beginMs) continue;
      // What stands at the end would be seen by nobody if only those counted that end before it.
      const latencyMs = sentMs >= this.#beginMs ? doneMs - sentMs : null;
      this.#count(failure, latencyMs, doneMs <= this.#endMs);
    }
  }

  async #open(worker: number, intervalMs: number): Promise<void> {
    const { now, graceMs } = this.#options;
    for (;;) {
      this.#options.ended?.throwIfAborted();
      const n = this.#next++;
      const dueMs = this.#launchMs + n * intervalMs;
      if (dueMs >= this.#endMs) return;
      const isMeasured = dueMs >= this.#beginMs;
      if (now() > this.#endMs + graceMs) {
        if (isMeasured) this.#unsent += 1;
        continue;
      }
      await this.#untilDue(dueMs, isMeasured);
      const failure = await this.#send(worker, n);
      const doneMs = now();
      this.#look(doneMs);
      if (isMeasured) this.#count(failure, doneMs - dueMs, doneMs <= this.#endMs);
      else if (failure === null && doneMs >= this.#beginMs) this.#requests += 1;
    }
  }

  async #untilDue(dueMs: number, isMeasured: boolean): Promise<void> {
    const { now, wait } = this.#options;
    const isFree = now() < dueMs;
    while (now() < dueMs) await wait(dueMs - now());
    this.#look(now());
    if (isMeasured && isFree) this.#lag.record(now() - dueMs);
  }

  async #send(worker: number, n: number): Promise<string | null> {
    try {
      await this.#options.request(worker, n);
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** `latencyMs` is null where the request was sent before it was measured. */
  #count(failure: string | null, latencyMs: number | null, isInTime: boolean): void {
    if (failure === null) {
      if (latencyMs !== null) this.#latencies.record(latencyMs);
      if (isInTime) this.#requests += 1;
    } else {
      this.#failures += 1;
      this.#failure ||= failure;
    }
  }

  /** Tells of a phase as soon as anybody sees that it is reached. */
  #look(nowMs: number): void {
    if (this.#phase === 'warm-up' && nowMs >= this.#beginMs) this.#options.onPhase((this.#phase = 'begin'));
    if (this.#phase === 'begin' && nowMs >= this.#endMs) this.#options.onPhase((this.#phase = 'end'));
  }
}
