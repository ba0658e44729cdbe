/**
 * A constant load: requests start by the clock, whatever became of those before, and their latency counts from when they
 * should have started, so that a server that stands is not measured by the requests that nobody sent meanwhile
 * (Tene, "How NOT to measure latency").
 */
import { setTimeout as delay } from 'node:timers/promises';
import { seededPrng, type Prng } from '@ringleader/primitives';
import type { RestAnswer, RestClient } from '@ringleader/testing-workload';

export interface PacedLoadOptions {
  readonly client: Pick<RestClient, 'get' | 'put'>;
  readonly keyOf: (n: number) => string;
  readonly keys: number;
  readonly valueOf: (n: number, write: number) => string;
  readonly perSecond: number;
  /** Of all requests. */
  readonly writes: number;
  readonly seed: number;
}

export interface Sample {
  /** Seconds since the load began. */
  readonly atS: number;
  readonly latencyMs: number;
  /** Empty for a success. */
  readonly failure: string;
}

/** What a key may hold: what was acknowledged last, or anything later of which nobody knows. */
export interface Expected {
  acknowledged: number;
  readonly unknown: number[];
}

/** The load is behind by more than this: it ends, instead of measuring itself. */
const IN_FLIGHT_MAX = 4_000;

export class PacedLoad {
  readonly samples: Sample[] = [];
  /** By key, of those that were written. */
  readonly expected = new Map<number, Expected>();
  readonly #options: PacedLoadOptions;
  readonly #prng: Prng;
  #startedAt = performance.now();
  readonly #inFlight = new Set<Promise<void>>();
  /** A key is written by one request at a time, so that it is known which of its values is the last. */
  readonly #beingWritten = new Set<number>();
  #writes = 0;
  #isStopped = false;
  #failure: Error | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(options: PacedLoadOptions) {
    this.#options = options;
    this.#prng = seededPrng(options.seed);
  }

  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1_000;
  }

  start(): void {
    this.#startedAt = performance.now();
    this.#running = this.#run();
  }

  /** Throws what has ended the load, if something has. */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    await Promise.all(this.#inFlight);
  }

  async #run(): Promise<void> {
    const intervalMs = 1_000 / this.#options.perSecond;
    let dueAt = performance.now();
    while (!this.#isStopped && this.#failure === null) {
      const now = performance.now();
      while (dueAt <= now) {
        this.#begin(dueAt);
        dueAt += intervalMs;
      }
      if (this.#inFlight.size > IN_FLIGHT_MAX)
        this.#failure = new Error('the cluster does not keep up with this load');
      await delay(1);
    }
  }

  #begin(dueAt: number): void {
    const done = this.#request(dueAt)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#inFlight.delete(done));
    this.#inFlight.add(done);
  }

  #fail(error: unknown): void {
    this.#failure ??= new Error('a request had no answer of any kind', { cause: error });
  }

  async #request(dueAt: number): Promise<void> {
    const { keys, writes, client, keyOf } = this.#options;
    const n = this.#prng.nextBelow(keys);
    const isWrite = this.#prng.nextFloat() < writes && !this.#beingWritten.has(n);
    const answer = isWrite ? await this.#write(n) : await client.get(keyOf(n));
    const latencyMs = performance.now() - dueAt;
    const succeeded = answer.status === 200 || answer.status === 201;
    const failure = succeeded ? '' : answer.code === '' ? `HTTP ${answer.status}` : answer.code;
    this.samples.push({ atS: (dueAt - this.#startedAt) / 1_000, latencyMs, failure });
  }

  async #write(n: number): Promise<RestAnswer> {
    const { client, keyOf, valueOf } = this.#options;
    const write = ++this.#writes;
    const expected = this.expected.get(n) ?? { acknowledged: 0, unknown: [] };
    this.expected.set(n, expected);
    expected.unknown.push(write);
    this.#beingWritten.add(n);
    const answer = await client.put(keyOf(n), valueOf(n, write));
    this.#beingWritten.delete(n);
    if (answer.status === 200 || answer.status === 201) {
      expected.acknowledged = write;
      expected.unknown.length = 0;
    } else if (answer.code === 'UNAVAILABLE' || answer.code === 'OVERLOADED') {
      expected.unknown.splice(expected.unknown.indexOf(write), 1);
    }
    return answer;
  }
}
