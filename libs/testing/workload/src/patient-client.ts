/**
 * A client that does what the documentation advises: it repeats what was refused, or whose outcome it does not know, under the
 * same idempotency key. Unless everything stands for longer than it has patience, nothing may fail for it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { classify } from './classify.js';
import type { RestAnswer, RestClient } from './rest-client.js';
import type { Asked } from './waits.js';

const ATTEMPT_MS = 5_000;
const PATIENCE_MS = 120_000;
const BETWEEN_MS = 100;
const KEYS = 50;

export interface PatientFindings {
  readonly requests: number;
  readonly repeated: number;
  /** One sentence for each request that did not get through. */
  readonly failures: readonly string[];
}

export class PatientClient {
  /** Each with its repeats. */
  readonly asked: Asked[] = [];
  private readonly failures: string[] = [];
  private writes = 0;
  private repeated = 0;
  private isStopping = false;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: RestClient,
    private readonly prefix: string,
  ) {}

  get findings(): PatientFindings {
    return { requests: this.asked.length, repeated: this.repeated, failures: this.failures };
  }

  start(): void {
    this.running = this.run();
  }

  /** Lets what is under way get through. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      this.writes += 1;
      const key = `${this.prefix}/${this.writes % KEYS}`;
      const value = `value ${this.writes}`;
      const idempotencyKey = `${this.prefix}-${this.writes}`.replaceAll('/', '-').slice(-64);
      await this.through('put', key, () =>
        this.client.put(key, value, { idempotencyKey, timeoutMs: ATTEMPT_MS }),
      );
      const read = await this.through('get', key, () => this.client.get(key, { timeoutMs: ATTEMPT_MS }));
      if (read !== null && read.body.toString() !== value)
        this.failures.push(`${key} reads "${read.body.toString()}" after "${value}" was written`);
      await delay(BETWEEN_MS);
    }
  }

  private async through(
    kind: 'put' | 'get',
    key: string,
    attempt: () => Promise<RestAnswer>,
  ): Promise<RestAnswer | null> {
    const invokedAtMs = performance.now();
    for (let attempts = 1; ; attempts += 1) {
      const answer = await attempt();
      const completedAtMs = performance.now();
      const elapsedMs = completedAtMs - invokedAtMs;
      if (attempts === 2) this.repeated += 1;
      const said = classify(answer);
      const isAnswered = said === 'answered' && answer.status < 300;
      if (isAnswered || said === 'answered' || said === 'dishonest' || elapsedMs > PATIENCE_MS) {
        this.asked.push({ kind, key, invokedAtMs, completedAtMs, isAnswered });
        if (isAnswered) return answer;
        this.failures.push(
          `${kind} ${key}: ${answer.status} ${answer.code} after ${Math.round(elapsedMs)} ms`,
        );
        return null;
      }
      await delay(BETWEEN_MS);
    }
  }
}
