/**
 * A steady mixed load over few keys, so that operations meet: writes, conditional writes, deletes and linearizable reads,
 * each process one at a time. Everything is recorded for the checker.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { seededPrng } from '@ringleader/primitives';
import type { Prng } from '@ringleader/primitives';
import { classify } from './classify.js';
import type {
  RecordedCondition,
  RecordedOperation,
  RecordedOutcome,
  RecordedRequest,
} from './recorded-operation.js';
import type { RestAnswer, RestClient, WriteOptions } from './rest-client.js';
import type { Asked } from './waits.js';

export interface MixedLoadOptions {
  readonly client: RestClient;
  readonly seed: number;
  readonly processes: number;
  readonly keys: readonly string[];
  readonly timeoutMs: number;
  /** A pause between a process's operations, so that histories stay checkable. */
  readonly thinkTimeMs: number;
}

export class MixedLoad {
  readonly operations: RecordedOperation[] = [];
  /** Answers that no honest gateway gives: one sentence each. */
  readonly dishonest: string[] = [];
  private readonly lastSeenRevision = new Map<string, number>();
  private readonly running: Promise<void>[] = [];
  private stopping = false;
  private writes = 0;

  constructor(private readonly options: MixedLoadOptions) {}

  start(): void {
    for (let process = 0; process < this.options.processes; process += 1) {
      this.running.push(this.run(process, seededPrng(this.options.seed * 1_000 + process)));
    }
  }

  /** Lets operations under way finish. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.running);
  }

  /** The longest time that any process was without an acknowledged operation, from `sinceMs` on; milliseconds. */
  longestSilenceMs(sinceMs: number): number {
    const heardAt = Array<number>(this.options.processes).fill(sinceMs);
    let longest = 0;
    // In the order in which they were answered.
    for (const { process, outcome, completedAtMs } of this.operations) {
      if (completedAtMs < sinceMs || !isAcknowledged(outcome)) continue;
      longest = Math.max(longest, completedAtMs - (heardAt[process] ?? sinceMs));
      heardAt[process] = completedAtMs;
    }
    return longest;
  }

  /** Each with its only attempt. */
  asked(): Asked[] {
    return this.operations.map(({ request: { kind }, key, invokedAtMs, completedAtMs, outcome }) => ({
      ...{ kind, key, invokedAtMs, completedAtMs, isAnswered: isAcknowledged(outcome) },
    }));
  }

  private async run(process: number, prng: Prng): Promise<void> {
    while (!this.stopping) {
      const key = this.options.keys[prng.nextBelow(this.options.keys.length)] ?? '';
      const request = this.nextRequest(process, key, prng);
      const invokedAtMs = performance.now();
      const answer = await this.perform(key, request);
      const completedAtMs = performance.now();
      this.record({ process, key, request, invokedAtMs, completedAtMs }, answer);
      await delay(this.options.thinkTimeMs);
    }
  }

  private nextRequest(process: number, key: string, prng: Prng): RecordedRequest {
    const draw = prng.nextFloat();
    if (draw < 0.4) return { kind: 'get' };
    if (draw < 0.5) return { kind: 'delete', condition: null };
    this.writes += 1;
    return { kind: 'put', value: `${process}.${this.writes}`, condition: this.nextCondition(key, prng) };
  }

  private nextCondition(key: string, prng: Prng): RecordedCondition | null {
    const draw = prng.nextFloat();
    if (draw < 0.5) return null;
    if (draw < 0.6) return { kind: 'ifAbsent' };
    if (draw < 0.7) return { kind: 'ifPresent' };
    const revision = this.lastSeenRevision.get(key);
    return revision === undefined ? null : { kind: 'ifRevision', revision };
  }

  private perform(key: string, request: RecordedRequest): Promise<RestAnswer> {
    const { client, timeoutMs } = this.options;
    if (request.kind === 'get') return client.get(key, { timeoutMs });
    const options = { ...conditionHeaders(request.condition), timeoutMs };
    return request.kind === 'put' ? client.put(key, request.value, options) : client.delete(key, options);
  }

  private record(operation: Omit<RecordedOperation, 'outcome'>, answer: RestAnswer): void {
    const kind = classify(answer);
    if (kind === 'dishonest') {
      this.dishonest.push(
        `${operation.request.kind} ${operation.key}: ${answer.status} ${answer.code} ${answer.body.toString()}`,
      );
    }
    const outcome = toOutcome(operation.request, answer);
    if (outcome.kind === 'written' || outcome.kind === 'found') {
      this.lastSeenRevision.set(operation.key, outcome.revision);
    }
    this.operations.push({ ...operation, outcome });
  }
}

function isAcknowledged(outcome: RecordedOutcome): boolean {
  return outcome.kind !== 'refused' && outcome.kind !== 'unknown';
}

function conditionHeaders(condition: RecordedCondition | null): WriteOptions {
  if (condition === null) return {};
  if (condition.kind === 'ifAbsent') return { ifNoneMatch: '*' };
  return { ifMatch: condition.kind === 'ifPresent' ? '*' : `"${condition.revision}"` };
}

function toOutcome(request: RecordedRequest, answer: RestAnswer): RecordedOutcome {
  const kind = classify(answer);
  if (kind === 'refused') return { kind: 'refused', code: answer.code };
  if (kind !== 'answered') return { kind: 'unknown', code: answer.code };
  if (answer.status === 404) return { kind: 'absent' };
  if (answer.status === 412) return { kind: 'conditionFailed', revision: numberField(answer, 'revision') };
  if (request.kind === 'get') {
    const revision = Number(String(answer.headers['etag']).replaceAll('"', ''));
    return { kind: 'found', value: answer.body.toString(), revision };
  }
  if (request.kind === 'delete') return { kind: 'deleted' };
  return {
    kind: 'written',
    revision: numberField(answer, 'revision'),
    version: numberField(answer, 'version'),
    created: answer.status === 201,
  };
}

function numberField(answer: RestAnswer, field: string): number {
  const value = (JSON.parse(answer.body.toString()) as Record<string, unknown>)[field];
  return typeof value === 'number' ? value : Number.NaN;
}
