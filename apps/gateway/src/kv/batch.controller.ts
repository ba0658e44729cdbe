/** POST /v1/kv:batch */
import type { OutgoingHttpHeaders } from 'node:http';
import { Controller, Post, Req, Res } from '@nestjs/common';
import { REST_HEADERS } from '@ringleader/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { receivedContentType } from '../http/received-content-type.js';
import { respondJson } from '../http/respond.js';
import { DescribeBatch } from '../openapi/describe-keys.js';
import { ShardDirectory } from '../routing/shard-directory.js';
import { parseBatch } from './batch-operations.js';
import { BatchRun } from './batch-run.js';
import { KeyValueStore } from './key-value-store.js';
import { CONSISTENCY_PARAMETERS, consistencyOf, parseQuery } from './query.js';
import { RequestContext } from './request-context.js';
import { idempotencyKeyOf } from './request-headers.js';
import { queryOf } from './request-target.js';

const NO_BODY = Buffer.alloc(0);

@Controller('v1')
export class BatchController {
  constructor(
    private readonly store: KeyValueStore,
    private readonly context: RequestContext,
    private readonly shards: ShardDirectory,
  ) {}

  /** The doubled colon is a plain one: a single one would begin a parameter. */
  @DescribeBatch()
  @Post('kv::batch')
  async batch(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const consistency = consistencyOf(parseQuery(queryOf(request.originalUrl), CONSISTENCY_PARAMETERS));
    const idempotencyKey = idempotencyKeyOf(request.headers);
    const deadline = this.context.deadline(request);
    const body = (request.body as Buffer | undefined) ?? NO_BODY;
    const operations = parseBatch(receivedContentType(request.raw), body);
    const run = new BatchRun({ store: this.store, consistency, deadline, idempotencyKey });
    const results = await run.run(operations);
    const headers: OutgoingHttpHeaders = {};
    if (run.servedBy.size > 0) headers[REST_HEADERS.servedBy] = this.shards.names(run.servedBy);
    if (consistency.kind === 'stale') headers[REST_HEADERS.stalenessMs] = Math.ceil(run.stalenessMs);
    respondJson(reply, 200, { results }, headers);
  }
}
