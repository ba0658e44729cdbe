/** POST /v1/kv:batch */
import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { REST_HEADERS } from '@ringleader/contracts';
import { ServiceClock } from '@ringleader/service-host';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access } from '../access/access.js';
import { callerOf, requireKey } from '../access/caller.js';
import type { Caller } from '../access/caller.js';
import { parseQuery, targetOf } from '../http/request-target.js';
import { DescribeBatch } from '../openapi/descriptions.js';
import { ShardDirectory } from '../routing/shard-directory.js';
import { givenForm, wantedForm } from './batch-form.js';
import type { BatchForm } from './batch-form.js';
import type { GivenOperation } from './batch-operations.js';
import { runBatch } from './batch-run.js';
import { KeyValueStore } from './key-value-store.js';
import { refuseConditions } from './preconditions.js';
import { CONSISTENCY_PARAMETERS, consistencyOf, idempotencyKeyOf, timeoutMsOf } from './request-context.js';
import type { Consistency } from './request-context.js';

const NO_BODY = Buffer.alloc(0);

interface BatchHead {
  readonly form: BatchForm;
  readonly consistency: Consistency;
  readonly idempotencyKey: string | null;
  readonly timeoutMs: number;
}

/** Throws what a batch is refused for whatever its body is. */
export function batchHead(request: FastifyRequest): BatchHead {
  const { raw, headers } = request;
  const form = givenForm(request);
  refuseConditions(headers, 'batch');
  return {
    form,
    consistency: consistencyOf(parseQuery(targetOf(raw).query, CONSISTENCY_PARAMETERS)),
    idempotencyKey: idempotencyKeyOf(headers),
    timeoutMs: timeoutMsOf(headers),
  };
}

function requireAll(caller: Caller, operations: readonly GivenOperation[]): void {
  for (let index = 0; index < operations.length; index += 1) {
    const { op, key } = operations[index] as GivenOperation;
    requireKey(caller, op === 'get' ? 'read' : 'write', key, index);
  }
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
  ): Promise<string | Buffer> {
    const { form, consistency, idempotencyKey, timeoutMs } = batchHead(request);
    const deadline = this.clock.monotonicMs() + timeoutMs;
    const operations = form.read((request.body as Buffer | undefined) ?? NO_BODY);
    requireAll(callerOf(request.raw), operations);
    const { store } = this;
    const run = await runBatch(operations, { store, consistency, deadline, idempotencyKey });
    if (run.servedBy.size > 0) reply.header(REST_HEADERS.servedBy, this.shards.names(run.servedBy));
    if (consistency.kind === 'stale') reply.header(REST_HEADERS.stalenessMs, Math.ceil(run.stalenessMs));
    const wanted = wantedForm(request);
    reply.header('Content-Type', wanted.contentType);
    return wanted.write(run.results);
  }
}
