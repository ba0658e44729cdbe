/**
 * POST /v1/kv:batch
 *
 * Each operation stands alone; those on one key run in their order, all others side by side. What
 * the reads of one batch may bring back is bounded, and so is how many are under way, since their sizes are not known
 * beforehand.
 */
import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import {
  DEFAULT_CONTENT_TYPE,
  ERROR_CATALOGUE,
  OperationalError,
  REST_HEADERS,
  REST_LIMITS,
  batchRequestSchema,
} from '@ringleader/contracts';
import type { BatchOperation, BatchResult } from '@ringleader/contracts';
import type { Condition, DeleteOperation, PutOperation } from '@ringleader/paxos';
import type { MonotonicMs, ShardOrdinal } from '@ringleader/primitives';
import { ServiceClock } from '@ringleader/service-host';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access } from '../access/access.js';
import { callerOf, requireKey } from '../access/caller.js';
import { BODY, checkJson, fieldOf, parseJson } from '../http/json-body.js';
import { isRestError, restError } from '../http/problem.filter.js';
import type { RestError } from '../http/problem.filter.js';
import { receivedContentType } from '../http/request-head.js';
import { checkKey, parseQuery, targetOf } from '../http/request-target.js';
import { DescribeBatch } from '../openapi/descriptions.js';
import { ShardDirectory } from '../routing/shard-directory.js';
import { KeyValueStore } from './key-value-store.js';
import { refuseConditions } from './preconditions.js';
import { instant, readResult, valueFields, writeResult } from './representation.js';
import type { ReadResult, WriteResult } from './representation.js';
import {
  CONSISTENCY_PARAMETERS,
  consistencyOf,
  contentTypeOf,
  idempotencyKeyOf,
  timeoutMsOf,
} from './request-context.js';
import type { Consistency } from './request-context.js';

const NO_BODY = Buffer.alloc(0);
const ISSUES_SHOWN_MAX = 5;

interface BatchHead {
  readonly consistency: Consistency;
  readonly idempotencyKey: string | null;
  readonly timeoutMs: number;
}

/** Throws what a batch is refused for whatever its body is. */
export function batchHead({ raw, headers }: FastifyRequest): BatchHead {
  checkJson(receivedContentType(raw), 'A batch');
  refuseConditions(headers, 'batch');
  return {
    consistency: consistencyOf(parseQuery(targetOf(raw).query, CONSISTENCY_PARAMETERS)),
    idempotencyKey: idempotencyKeyOf(headers),
    timeoutMs: timeoutMsOf(headers),
  };
}

@Controller('v1')
export class BatchController {
  constructor(
    private readonly store: KeyValueStore,
    private readonly clock: ServiceClock,
    private readonly shards: ShardDirectory,
  ) {}

  /** The doubled colon is a plain one: a single one would begin a parameter. */
  @Access({ kind: 'request', role: 'read' })
  @DescribeBatch()
  @Post('kv::batch')
  @HttpCode(200)
  async batch(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ results: BatchResult[] }> {
    const { consistency, idempotencyKey, timeoutMs } = batchHead(request);
    const deadline = this.clock.monotonicMs() + timeoutMs;
    const operations = parseBatch((request.body as Buffer | undefined) ?? NO_BODY);
    const caller = callerOf(request.raw);
    operations.forEach(({ op, key }, index) =>
      requireKey(caller, op === 'get' ? 'read' : 'write', key, { index }),
    );
    const run = new BatchRun({ store: this.store, consistency, deadline, idempotencyKey });
    const results = await run.run(operations);
    if (run.servedBy.size > 0) reply.header(REST_HEADERS.servedBy, this.shards.names(run.servedBy));
    if (consistency.kind === 'stale') reply.header(REST_HEADERS.stalenessMs, Math.ceil(run.stalenessMs));
    return { results };
  }
}

function parseBatch(body: Uint8Array): readonly BatchOperation[] {
  const request = parseJson(body, 'The batch');
  checkCount(request);
  const parsed = batchRequestSchema.safeParse(request);
  if (parsed.success) return parsed.data.operations;
  const issues = parsed.error.issues
    .slice(0, ISSUES_SHOWN_MAX)
    .map((issue) => ({ field: fieldOf(issue), message: issue.message }));
  const list = issues.map(({ field, message }) => `${field}: ${message}`).join('; ');
  const field = issues[0]?.field ?? BODY;
  throw new OperationalError('INVALID_ARGUMENT', `The batch is not valid: ${list}`, { field, issues });
}

/** Before the schema, which would look at each of them. */
function checkCount(request: unknown): void {
  const { batchOperationsMax: operationsMax } = REST_LIMITS;
  const operations = (request as { operations?: unknown } | null)?.operations;
  if (!Array.isArray(operations) || operations.length <= operationsMax) return;
  const detail = `A batch has at most ${operationsMax} operations; this one has ${operations.length}`;
  throw new OperationalError('REQUEST_TOO_LARGE', detail, { operationsMax });
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const READS_UNDER_WAY_MAX = 32;

interface BatchOptions {
  readonly store: Pick<KeyValueStore, 'write' | 'read'>;
  readonly consistency: Consistency;
  readonly deadline: MonotonicMs;
  readonly idempotencyKey: string | null;
}

class BatchRun {
  private readonly lastOfKey = new Map<string, Promise<BatchResult>>();
  private readonly occurrences = new Map<string, number>();
  private readonly waitingReads: (() => void)[] = [];
  private readsUnderWay = 0;
  private valueBytes = 0;
  /** Of the oldest answer to a read. */
  stalenessMs = 0;
  readonly servedBy = new Set<ShardOrdinal>();

  constructor(private readonly options: BatchOptions) {}

  run(operations: readonly BatchOperation[]): Promise<BatchResult[]> {
    return Promise.all(operations.map((operation) => this.enqueue(operation)));
  }

  private enqueue(operation: BatchOperation): Promise<BatchResult> {
    const occurrence = this.occurrence(operation);
    const before = this.lastOfKey.get(operation.key);
    const carryOut = (): Promise<BatchResult> => this.carryOut(operation, occurrence);
    const result = before === undefined ? carryOut() : before.then(carryOut);
    this.lastOfKey.set(operation.key, result);
    return result;
  }

  /** Tells equal operations on one key apart, so that a repeated batch finds the first answer of each. */
  private occurrence({ op, key }: BatchOperation): number {
    if (this.options.idempotencyKey === null) return 0;
    const name = `${op} ${key}`;
    const occurrence = this.occurrences.get(name) ?? 0;
    this.occurrences.set(name, occurrence + 1);
    return occurrence;
  }

  private async carryOut(operation: BatchOperation, occurrence: number): Promise<BatchResult> {
    try {
      switch (operation.op) {
        case 'put':
          return await this.write(putOperation(operation), occurrence);
        case 'delete':
          return await this.write(deleteOperation(operation), occurrence);
        case 'get':
          checkKey(operation.key);
          return await this.read(operation.key);
      }
    } catch (error) {
      if (isRestError(error)) return failureOf(error);
      throw error;
    }
  }

  private async write(operation: PutOperation | DeleteOperation, occurrence: number): Promise<BatchResult> {
    const { store, deadline, idempotencyKey } = this.options;
    const repeatable = idempotencyKey === null ? null : { idempotencyKey, occurrence };
    const result = writeResult(operation, await store.write(operation, repeatable, deadline));
    this.note(result);
    if (result.kind === 'refused') return failureOf(result.error);
    const { revision, version, created } = result.reply;
    if (operation.kind === 'delete') return { status: 204, revision, version };
    return { status: created ? 201 : 200, revision, version };
  }

  private async read(key: string): Promise<BatchResult> {
    await this.readTurn();
    try {
      if (this.valueBytes >= REST_LIMITS.answerValueBytesMax) return failureOf(tooMuchToRead());
      const { store, consistency, deadline } = this.options;
      const result = readResult(key, await store.read(key, consistency, deadline));
      this.note(result);
      if (result.kind !== 'found') return failureOf(result.error);
      const { row, value } = result;
      this.valueBytes += value.length;
      return {
        status: 200,
        revision: row.revision,
        version: row.version,
        ...valueFields(value),
        contentType: row.contentType,
        createdAt: instant(row.createdAt),
        modifiedAt: instant(row.modifiedAt),
      };
    } finally {
      this.endRead();
    }
  }

  private note(result: WriteResult | ReadResult): void {
    if (result.servedBy !== null) this.servedBy.add(result.servedBy);
    if (!('stalenessMs' in result)) return;
    this.stalenessMs = Math.max(this.stalenessMs, result.stalenessMs ?? 0);
  }

  private readTurn(): Promise<void> {
    if (this.readsUnderWay < READS_UNDER_WAY_MAX) {
      this.readsUnderWay += 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.waitingReads.push(resolve));
  }

  /** Whoever waits takes over the place. */
  private endRead(): void {
    const next = this.waitingReads.shift();
    if (next === undefined) this.readsUnderWay -= 1;
    else next();
  }
}

function tooMuchToRead(): RestError {
  const { answerValueBytesMax: bytesMax } = REST_LIMITS;
  const detail = `The reads of one batch give back about ${bytesMax} bytes of values; read this key by itself`;
  return restError('REQUEST_TOO_LARGE', detail, { bytesMax });
}

function failureOf(error: RestError): BatchResult {
  const { code, message: detail, details } = error;
  const failure = { status: ERROR_CATALOGUE[code].httpStatus, code, detail };
  if (code !== 'PRECONDITION_FAILED') return failure;
  return { ...failure, revision: Number(details['revision']), version: Number(details['version']) };
}

/** Throws what is wrong with this operation. */
function putOperation(operation: Extract<BatchOperation, { op: 'put' }>): PutOperation {
  checkKey(operation.key);
  const value = valueOf(operation);
  const { valueBytesMax: bytesMax } = REST_LIMITS;
  if (value.length > bytesMax) {
    const detail = `A value has at most ${bytesMax} bytes; this one has ${value.length}`;
    throw new OperationalError('VALUE_TOO_LARGE', detail, { bytesMax });
  }
  const { contentType } = operation;
  return {
    kind: 'put',
    key: operation.key,
    value,
    contentType: contentType === undefined ? DEFAULT_CONTENT_TYPE : contentTypeOf(contentType),
    expiresAt: null,
    conditions: conditionsOf(operation),
  };
}

function deleteOperation(operation: Extract<BatchOperation, { op: 'delete' }>): DeleteOperation {
  checkKey(operation.key);
  return { kind: 'delete', key: operation.key, conditions: conditionsOf(operation) };
}

function valueOf({ value, valueBase64 }: Extract<BatchOperation, { op: 'put' }>): Buffer {
  if ((value === undefined) === (valueBase64 === undefined)) {
    throw new OperationalError('INVALID_ARGUMENT', 'A put has either value or valueBase64', {
      field: 'value',
      allowed: ['value', 'valueBase64'],
    });
  }
  if (value !== undefined) {
    if (value.isWellFormed()) return Buffer.from(value);
    throw new OperationalError(
      'INVALID_ARGUMENT',
      'value holds half a surrogate pair, so it is not UTF-8 text',
      { field: 'value' },
    );
  }
  const text = valueBase64 ?? '';
  if (text.length % 4 === 0 && BASE64.test(text)) return Buffer.from(text, 'base64');
  throw new OperationalError(
    'INVALID_ARGUMENT',
    'valueBase64 is not base64 with padding (RFC 4648, section 4)',
    { field: 'valueBase64' },
  );
}

interface ConditionFields {
  readonly ifRevision?: number | undefined;
  readonly ifVersion?: number | undefined;
  readonly ifAbsent?: true | undefined;
  readonly ifPresent?: true | undefined;
}

function conditionsOf({ ifRevision, ifVersion, ifAbsent, ifPresent }: ConditionFields): readonly Condition[] {
  const conditions: Condition[] = [];
  if (ifRevision !== undefined) conditions.push({ kind: 'ifRevision', revision: ifRevision });
  if (ifVersion !== undefined) conditions.push({ kind: 'ifVersion', version: ifVersion });
  if (ifAbsent) conditions.push({ kind: 'ifAbsent' });
  if (ifPresent) conditions.push({ kind: 'ifPresent' });
  return conditions;
}
