import { OperationalError } from '@ringleader/contracts';
import type { CoordinationClient } from '@ringleader/coordination';

/** Writers that create keys nobody else creates, and remember what was acknowledged. */
export class UniqueWriters {
  readonly acknowledged = new Set<string>();
  /** What was answered instead, by code. */
  readonly failures = new Map<string, number>();
  #isStopped = false;
  #writers: Promise<void>[] = [];

  constructor(
    private readonly client: CoordinationClient,
    private readonly prefix: string,
  ) {}

  start(count: number): void {
    this.#writers = Array.from({ length: count }, (_, writer) => this.#write(writer));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#writers);
  }

  async #write(writer: number): Promise<void> {
    for (let n = 0; !this.#isStopped; n++) {
      const key = `${this.prefix}${writer}/${String(n).padStart(6, '0')}`;
      try {
        const { succeeded } = await this.client.txn({
          compare: [{ key, target: 'version', result: 'equal', operand: 0 }],
          success: [{ kind: 'put', key, value: String(n) }],
          failure: [],
        });
        if (!succeeded) throw new Error(`${key} exists before it was written`);
        this.acknowledged.add(key);
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        this.failures.set(error.code, (this.failures.get(error.code) ?? 0) + 1);
      }
    }
  }
}
