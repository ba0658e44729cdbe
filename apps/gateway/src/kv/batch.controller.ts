/** POST /v1/kv:batch */
import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { OperationalError, REST_HEADERS, REST_LIMITS, batchRequestSchema } from '@ringleader/contracts';
import type { BatchOperation, BatchResult } from '@ringleader/contracts';
import { ServiceClock } from '@ringleader/service-host';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { receivedContentType } from '../http/request-head.js';
import { parseQuery, targetOf } from '../http/request-target.js';
import { DescribeBatch } from '../openapi/describe-keys.js';
import { ShardDirectory } from '../routing/routing-table.js';
import { BatchRun } from './batch-run.js';
import { KeyValueStore } from './key-value-store.js';
import { refuseConditions } from './preconditions.js';
import { CONSISTENCY_PARAMETERS, consistencyOf, idempotencyKeyOf, timeoutMsOf } from './request-context.js';
import type { Consistency } from './request-context.js';

const NO_BODY = Buffer.alloc(0);
const JSON_MEDIA_TYPE = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i;
const ISSUES_SHOWN_MAX = 5;
const NAME_LENGTH_SHOWN = 64;
/** The name of the body as a whole. */
const BODY = 'body';
const utf8 = new TextDecoder('utf-8', { fatal: true });

interface BatchHead {
  readonly consistency: Consistency;
  readonly idempotencyKey: string | null;
  readonly timeoutMs: number;
}

/** Throws what a batch is refused for whatever its body is. */
export function batchHead({ raw, headers }: FastifyRequest): BatchHead {
  checkContentType(receivedContentType(raw));
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
    const run = new BatchRun({ store: this.store, consistency, deadline, idempotencyKey });
    const results = await run.run(operations);
    if (run.servedBy.size > 0) reply.header(REST_HEADERS.servedBy, this.shards.names(run.servedBy));
    if (consistency.kind === 'stale') reply.header(REST_HEADERS.stalenessMs, Math.ceil(run.stalenessMs));
    return { results };
  }
}

function checkContentType(contentType: string | undefined): void {
  if (contentType !== undefined && JSON_MEDIA_TYPE.test(contentType.trim())) return;
  const detail = 'A batch is application/json (UTF-8)';
  throw new OperationalError('UNSUPPORTED_MEDIA_TYPE', detail, {
    contentType: contentType ?? null,
    allowed: ['application/json'],
  });
}

function parseBatch(body: Uint8Array): readonly BatchOperation[] {
  const request = parseJson(body);
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

/** As in `operations.0.key`; an unknown field by its own name. */
function fieldOf(issue: { path: PropertyKey[]; keys?: readonly string[] }): string {
  const unknown = issue.keys?.[0];
  const path = unknown === undefined ? issue.path : [...issue.path, unknown.slice(0, NAME_LENGTH_SHOWN)];
  return path.length === 0 ? BODY : path.map(String).join('.');
}

/** Before the schema, which would look at each of them. */
function checkCount(request: unknown): void {
  const { batchOperationsMax: operationsMax } = REST_LIMITS;
  const operations = (request as { operations?: unknown } | null)?.operations;
  if (!Array.isArray(operations) || operations.length <= operationsMax) return;
  const detail = `A batch has at most ${operationsMax} operations; this one has ${operations.length}`;
  throw new OperationalError('REQUEST_TOO_LARGE', detail, { operationsMax });
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it cannot be read';
    const detail = `The body is not valid JSON: ${reason}`;
    throw new OperationalError('INVALID_ARGUMENT', detail, { field: BODY }, { cause });
  }
}
