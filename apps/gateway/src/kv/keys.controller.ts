/** /v1/kv/{key} */
import type { OutgoingHttpHeaders } from 'node:http';
import { Controller, Delete, Get, Put, Req, Res } from '@nestjs/common';
import { REST_HEADERS } from '@ringleader/contracts';
import type { Written } from '@ringleader/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { receivedContentType } from '../http/received-content-type.js';
import { respond, respondJson } from '../http/respond.js';
import { DescribeDelete, DescribeGet, DescribePut } from '../openapi/describe-keys.js';
import { sendProblem } from '../problems/send-problem.js';
import { ShardDirectory } from '../routing/shard-directory.js';
import { RequestContext } from './request-context.js';
import { KeyValueStore } from './key-value-store.js';
import { preconditionFailed, readResult, writeResult } from './outcomes.js';
import type { ReadResult, WriteResult } from './outcomes.js';
import { CONSISTENCY_PARAMETERS, consistencyOf, parseQuery } from './query.js';
import { entityTag, instant, instantMs } from './representation.js';
import { checkReadConditions, contentTypeOf, readCondition, writeConditionsOf } from './request-headers.js';
import { keyOf, queryOf } from './request-target.js';

const NO_PARAMETERS: readonly string[] = [];
const EMPTY_VALUE = Buffer.alloc(0);

@Controller('v1/kv')
export class KeysController {
  constructor(
    private readonly store: KeyValueStore,
    private readonly context: RequestContext,
    private readonly shards: ShardDirectory,
  ) {}

  @DescribePut()
  @Put(':key')
  async put(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const key = keyOf(request.originalUrl);
    parseQuery(queryOf(request.originalUrl), NO_PARAMETERS);
    const operation = {
      kind: 'put',
      key,
      value: (request.body as Buffer | undefined) ?? EMPTY_VALUE,
      contentType: contentTypeOf(receivedContentType(request.raw)),
      expiresAt: null,
      conditions: writeConditionsOf(request.headers),
    } as const;
    const repeatable = this.context.repeatable(request);
    const outcome = await this.store.write(operation, repeatable, this.context.deadline(request));
    const result = writeResult(key, outcome);
    const headers = this.servedBy(result);
    if (result.kind === 'refused') {
      sendProblem(request, reply, result.error, headers);
      return;
    }
    const { revision, version, created, createdAt, modifiedAt } = result.reply;
    const written: Written = {
      key,
      revision,
      version,
      createdAt: instant(createdAt),
      modifiedAt: instant(modifiedAt),
    };
    headers['ETag'] = entityTag(revision);
    respondJson(reply, created ? 201 : 200, written, headers);
  }

  @DescribeGet()
  @Get(':key')
  async get(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const key = keyOf(request.originalUrl);
    const consistency = consistencyOf(parseQuery(queryOf(request.originalUrl), CONSISTENCY_PARAMETERS));
    checkReadConditions(request.headers);
    const result = readResult(key, await this.store.read(key, consistency, this.context.deadline(request)));
    const headers = this.servedBy(result);
    if (result.kind === 'refused') {
      sendProblem(request, reply, result.error, headers);
      return;
    }
    if (consistency.kind === 'stale' && result.stalenessMs !== null) {
      headers[REST_HEADERS.stalenessMs] = Math.ceil(result.stalenessMs);
    }
    if (result.kind === 'absent') sendProblem(request, reply, result.error, headers);
    else sendValue(request, reply, result, headers);
  }

  @DescribeDelete()
  @Delete(':key')
  async delete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const key = keyOf(request.originalUrl);
    parseQuery(queryOf(request.originalUrl), NO_PARAMETERS);
    const operation = { kind: 'delete', key, conditions: writeConditionsOf(request.headers) } as const;
    const repeatable = this.context.repeatable(request);
    const outcome = await this.store.write(operation, repeatable, this.context.deadline(request));
    const result = writeResult(key, outcome);
    const headers = this.servedBy(result);
    if (result.kind === 'refused') sendProblem(request, reply, result.error, headers);
    else respond(reply, 204, headers, null);
  }

  private servedBy({ servedBy }: WriteResult | ReadResult): OutgoingHttpHeaders {
    return servedBy === null ? {} : { [REST_HEADERS.servedBy]: this.shards.name(servedBy) };
  }
}

function sendValue(
  request: FastifyRequest,
  reply: FastifyReply,
  { row, value }: Extract<ReadResult, { kind: 'found' }>,
  headers: OutgoingHttpHeaders,
): void {
  const condition = readCondition(request.headers, row.revision);
  if (condition === 'failed') {
    sendProblem(request, reply, preconditionFailed(row.revision, row.version), headers);
    return;
  }
  headers['ETag'] = entityTag(row.revision);
  headers[REST_HEADERS.version] = row.version;
  headers['Last-Modified'] = new Date(instantMs(row.modifiedAt)).toUTCString();
  if (condition === 'notModified') {
    respond(reply, 304, headers, null);
    return;
  }
  headers['Content-Type'] = row.contentType;
  // Values are whatever somebody stored: browsers are not to guess at them.
  headers['X-Content-Type-Options'] = 'nosniff';
  respond(reply, 200, headers, value);
}
