/**
 * A batch under way. Each operation stands alone; those on one key run in their order, all others side by side. What the
 * reads of one batch may bring back is bounded, and so is how many are under way, since their sizes are not known beforehand.
 *
 * A batch has many operations and there are many batches, so each is one object here, told by the router itself what
 * became of it: promises and closures for each were more than half of what a batch cost.
 */
import { REST_LIMITS } from '@ringleader/contracts';
import type { Row } from '@ringleader/paxos';
import type { MonotonicMs, Revision, ShardOrdinal } from '@ringleader/primitives';
import { checkKey } from '../http/request-target.js';
import { isRestError, restError } from '../http/problem.filter.js';
import type { RestError } from '../http/problem.filter.js';
import type { Outcome, Settler } from '../routing/in-flight.js';
import { deleteOperation, putOperation } from './batch-operations.js';
import type { GivenOperation } from './batch-operations.js';
import type { KeyValueStore } from './key-value-store.js';
import { readResult, writeResult } from './representation.js';
import type { ReadResult, WriteResult } from './representation.js';
import type { Consistency } from './request-context.js';

const READS_UNDER_WAY_MAX = 32;

/** What became of one operation. */
export type OperationResult =
  | {
      readonly kind: 'written';
      readonly status: 200 | 201 | 204;
      readonly revision: Revision;
      readonly version: number;
    }
  | { readonly kind: 'found'; readonly row: Row; readonly value: Uint8Array }
  | { readonly kind: 'failed'; readonly error: RestError };

export interface BatchOptions {
  readonly store: Pick<KeyValueStore, 'beginWrite' | 'beginRead'>;
  readonly consistency: Consistency;
  readonly deadline: MonotonicMs;
  readonly idempotencyKey: string | null;
}

export interface BatchOutcome {
  /** In the order of the operations. */
  readonly results: readonly OperationResult[];
  readonly servedBy: ReadonlySet<ShardOrdinal>;
  /** Of the oldest answer to a read. */
  readonly stalenessMs: number;
}

export function runBatch(
  operations: readonly GivenOperation[],
  options: BatchOptions,
): Promise<BatchOutcome> {
  return new Promise((resolve, reject) => new BatchRun(operations, options, resolve, reject).begin());
}

/** One operation. */
class Step implements Settler {
  /** On the same key: to be done before this one, and after it. */
  before: Step | null = null;
  after: Step | null = null;

  constructor(
    private readonly run: BatchRun,
    readonly index: number,
    readonly operation: GivenOperation,
  ) {}

  settled(outcome: Outcome): void {
    this.run.take(this, outcome);
  }
}

class BatchRun {
  private readonly results: OperationResult[];
  private left: number;
  private readonly servedBy = new Set<ShardOrdinal>();
  private stalenessMs = 0;
  private valueBytes = 0;
  private readsUnderWay = 0;
  private readonly waitingReads: Step[] = [];
  /** What may begin now. Begun one after the other: an answer may come at once, and make the next one ready. */
  private readonly ready: Step[] = [];
  private begun = 0;
  private isBeginning = false;

  constructor(
    operations: readonly GivenOperation[],
    private readonly options: BatchOptions,
    private readonly resolve: (outcome: BatchOutcome) => void,
    private readonly reject: (reason: unknown) => void,
  ) {
    this.left = operations.length;
    const lastOfKey = new Map<string, Step>();
    for (let index = 0; index < operations.length; index += 1) {
      const operation = operations[index] as GivenOperation;
      const step = new Step(this, index, operation);
      const before = lastOfKey.get(operation.key);
      if (before === undefined) {
        this.ready.push(step);
      } else {
        step.before = before;
        before.after = step;
      }
      lastOfKey.set(operation.key, step);
    }
    this.results = new Array<OperationResult>(operations.length);
  }

  begin(): void {
    if (this.left === 0) this.end();
    else this.beginReady();
  }

  /** What nobody expected fails the batch as a whole: never the router, which has others to tell. */
  take(step: Step, outcome: Outcome): void {
    try {
      this.conclude(step, this.resultOf(step, outcome));
    } catch (error) {
      this.reject(error);
    }
  }

  private beginReady(): void {
    if (this.isBeginning) return;
    this.isBeginning = true;
    for (let step = this.next(); step !== undefined; step = this.next()) this.start(step);
    this.isBeginning = false;
  }

  /** Reads wait for room alone: one that ends without having been under way makes none, and must not be the last. */
  private next(): Step | undefined {
    if (this.begun < this.ready.length) return this.ready[this.begun++];
    return this.readsUnderWay < READS_UNDER_WAY_MAX ? this.waitingReads.shift() : undefined;
  }

  private start(step: Step): void {
    try {
      this.carryOut(step);
    } catch (error) {
      if (isRestError(error)) this.conclude(step, { kind: 'failed', error });
      else this.reject(error);
    }
  }

  private carryOut(step: Step): void {
    const { operation } = step;
    const { store, consistency, deadline, idempotencyKey } = this.options;
    switch (operation.op) {
      case 'get':
        checkKey(operation.key);
        if (this.readsUnderWay === READS_UNDER_WAY_MAX) {
          this.waitingReads.push(step);
          return;
        }
        if (this.valueBytes >= REST_LIMITS.answerValueBytesMax) {
          this.conclude(step, { kind: 'failed', error: tooMuchToRead() });
          return;
        }
        this.readsUnderWay += 1;
        try {
          store.beginRead(operation.key, consistency, deadline, step);
        } catch (error) {
          this.readsUnderWay -= 1;
          throw error;
        }
        return;
      case 'put':
      case 'delete': {
        const write = operation.op === 'put' ? putOperation(operation) : deleteOperation(operation);
        const repeatable = idempotencyKey === null ? null : { idempotencyKey, occurrence: occurrence(step) };
        store.beginWrite(write, repeatable, deadline, step);
      }
    }
  }

  private resultOf({ operation }: Step, outcome: Outcome): OperationResult {
    const { op, key } = operation;
    if (op === 'get') {
      this.readsUnderWay -= 1;
      return this.readOf(readResult(key, outcome));
    }
    const result = writeResult(op, key, outcome);
    this.note(result);
    if (result.kind === 'refused') return { kind: 'failed', error: result.error };
    const { revision, version, created } = result.reply;
    const status = op === 'delete' ? 204 : created ? 201 : 200;
    return { kind: 'written', status, revision, version };
  }

  private readOf(result: ReadResult): OperationResult {
    this.note(result);
    if (result.kind !== 'refused') this.stalenessMs = Math.max(this.stalenessMs, result.stalenessMs ?? 0);
    if (result.kind !== 'found') return { kind: 'failed', error: result.error };
    const { row, value } = result;
    this.valueBytes += value.length;
    return { kind: 'found', row, value };
  }

  private note(result: WriteResult | ReadResult): void {
    if (result.servedBy !== null) this.servedBy.add(result.servedBy);
  }

  private conclude(step: Step, result: OperationResult): void {
    this.results[step.index] = result;
    this.left -= 1;
    if (step.after !== null) this.ready.push(step.after);
    if (this.left === 0) this.end();
    else this.beginReady();
  }

  private end(): void {
    const { results, servedBy, stalenessMs } = this;
    this.resolve({ results, servedBy, stalenessMs });
  }
}

/** Tells equal operations on one key apart, so that a repeated batch finds the first answer of each. */
function occurrence({ operation, before }: Step): number {
  let count = 0;
  for (let each = before; each !== null; each = each.before)
    if (each.operation.op === operation.op) count += 1;
  return count;
}

function tooMuchToRead(): RestError {
  const { answerValueBytesMax: bytesMax } = REST_LIMITS;
  const detail = `The reads of one batch give back about ${bytesMax} bytes of values; read this key by itself`;
  return restError('REQUEST_TOO_LARGE', detail, { bytesMax });
}
