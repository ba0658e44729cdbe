/**
 * A ledger of writes to keys that are written once each: whatever was acknowledged must be there for ever, with its value and
 * revision; whatever was refused must not be; the unknown ones may be either.
 */
import { classify } from './classify.js';
import type { RestClient } from './rest-client.js';

interface Entry {
  readonly key: string;
  readonly value: string;
  readonly revision: string;
}

export interface LedgerFindings {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly refused: number;
  /** One sentence for each broken promise. */
  readonly violations: readonly string[];
}

export class Ledger {
  private readonly acknowledged: Entry[] = [];
  private readonly refused: string[] = [];
  private readonly dishonest: string[] = [];
  private unknown = 0;
  private next = 0;

  constructor(
    private readonly client: RestClient,
    private readonly prefix: string,
  ) {}

  /** Writes one more key. True when it was acknowledged. */
  async append(timeoutMs: number): Promise<boolean> {
    this.next += 1;
    const key = `${this.prefix}/${this.next}`;
    const value = `value of ${key}`;
    const answer = await this.client.put(key, value, { timeoutMs });
    const kind = classify(answer);
    if (kind === 'unknown') this.unknown += 1;
    else if (kind === 'refused') this.refused.push(key);
    else if (answer.status === 201)
      this.acknowledged.push({ key, value, revision: String(answer.headers['etag']) });
    else this.dishonest.push(`a first write of ${key} was answered ${answer.status} ${answer.code}`);
    return answer.status === 201;
  }

  /** Reads everything back; the cluster must be healthy by now. */
  verify(concurrency: number): Promise<LedgerFindings> {
    return this.verifyThrough(this.client, concurrency);
  }

  /** Where the cluster is not reached as it was, by another client. */
  async verifyThrough(client: RestClient, concurrency: number): Promise<LedgerFindings> {
    const violations = [...this.dishonest];
    const checks = [
      ...this.acknowledged.map((entry) => () => checkAcknowledged(client, entry)),
      ...this.refused.map((key) => () => checkRefused(client, key)),
    ];
    const worker = async (): Promise<void> => {
      for (let check = checks.pop(); check !== undefined; check = checks.pop()) {
        const violation = await check();
        if (violation !== null) violations.push(violation);
      }
    };
    const { length: refused } = this.refused;
    await Promise.all(Array.from({ length: concurrency }, worker));
    return { acknowledged: this.acknowledged.length, unknown: this.unknown, refused, violations };
  }
}

async function checkAcknowledged(
  client: RestClient,
  { key, value, revision }: Entry,
): Promise<string | null> {
  const answer = await client.get(key);
  if (answer.status !== 200) return `${key} was acknowledged, and reads ${answer.status} ${answer.code}`;
  if (answer.body.toString() !== value) return `${key} was acknowledged, and has another value`;
  if (answer.headers['etag'] !== revision)
    return `${key} was acknowledged at ${revision}, and has another revision`;
  return null;
}

async function checkRefused(client: RestClient, key: string): Promise<string | null> {
  const answer = await client.get(key);
  return answer.status === 404 ? null : `${key} was refused with nothing done, and reads ${answer.status}`;
}
