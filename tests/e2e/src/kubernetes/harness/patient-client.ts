/**
 * A client that does what the documentation advises: it repeats what was refused, or whose outcome it does not know, under the
 * same idempotency key. For it, nothing may fail.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { classify, type RestAnswer, type RestClient } from '@ringleader/testing-workload';

const ATTEMPT_MS = 5_000;
const PATIENCE_MS = 30_000;
const BETWEEN_MS = 100;

export class PatientClient {
  /** One sentence for each request that did not get through. */
  readonly failures: string[] = [];
  private requests = 0;
  private repeated = 0;
  private longestMs = 0;
  private isStopping = false;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: RestClient,
    private readonly prefix: string,
  ) {}

  get report(): string {
    const { requests, repeated, longestMs, failures } = this;
    return `${requests} requests, ${repeated} repeated, the longest ${Math.round(longestMs)} ms, ${failures.length} failed`;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.running;
    await this.client.close();
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      this.requests += 1;
      const key = `${this.prefix}/${this.requests % 50}`;
      const value = `value ${this.requests}`;
      const idempotencyKey = `${this.prefix}-${this.requests}`.replaceAll('/', '-');
      await this.through(`put ${key}`, () =>
        this.client.put(key, value, { idempotencyKey, timeoutMs: ATTEMPT_MS }),
      );
      const read = await this.through(`get ${key}`, () => this.client.get(key, { timeoutMs: ATTEMPT_MS }));
      if (read !== null && read.body.toString() !== value)
        this.failures.push(`${key} reads "${read.body.toString()}" after "${value}" was written`);
      await delay(BETWEEN_MS);
    }
  }

  private async through(what: string, attempt: () => Promise<RestAnswer>): Promise<RestAnswer | null> {
    const startedAt = performance.now();
    for (let attempts = 1; ; attempts += 1) {
      const answer = await attempt();
      const elapsedMs = performance.now() - startedAt;
      this.longestMs = Math.max(this.longestMs, elapsedMs);
      if (attempts === 2) this.repeated += 1;
      const kind = classify(answer);
      if (kind === 'answered' && answer.status < 300) return answer;
      if (kind === 'answered' || kind === 'dishonest' || elapsedMs > PATIENCE_MS) {
        this.failures.push(`${what}: ${answer.status} ${answer.code} after ${Math.round(elapsedMs)} ms`);
        return null;
      }
      await delay(BETWEEN_MS);
    }
  }
}
