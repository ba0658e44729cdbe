/** /v1/kv/{key} */
import type { OutgoingHttpHeaders } from 'node:http';
import { Controller, Delete, Get, Put, Req, Res } from '@nestjs/common';
import { REST_HEADERS } from '@ringleader/contracts';
import type { Written } from '@ringleader/contracts';
import type { MonotonicMs } from '@ringleader/primitives';
import { ServiceClock } from '@ringleader/service-host';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { receivedContentType } from '../http/request-head.js';
import { keyOf, parseQuery, targetOf } from '../http/request-target.js';
import { DescribeDelete, DescribeGet, DescribePut } from '../openapi/descriptions.js';
import { sendProblem } from '../http/problem.filter.js';
import { ShardDirectory } from '../routing/routing-table.js';
import { KeyValueStore } from './key-value-store.js';
import { checkReadConditions, guardedWrite, readCondition, writeGuardOf } from './preconditions.js';
import type { WriteGuard } from './preconditions.js';
import {
  entityTag,
  instant,
  instantMs,
  preconditionFailed,
  readResult,
  writeResult,
} from './representation.js';
import type { ReadResult, WriteResult } from './representation.js';
import {
  CONSISTENCY_PARAMETERS,
  consistencyOf,
  contentTypeOf,
  idempotencyKeyOf,
  repeatableOf,
  timeoutMsOf,
} from './request-context.js';

const NO_PARAMETERS: readonly string[] = [];
const EMPTY_VALUE = Buffer.alloc(0);

interface WriteHead {
  readonly key: string;
  readonly guard: WriteGuard;
}

function writeHead({ raw, headers }: FastifyRequest): WriteHead {
  const target = targetOf(raw);
  const key = keyOf(target);
  parseQuery(target.query, NO_PARAMETERS);
  return { key, guard: writeGuardOf(headers) };
}

/** Throws what a PUT or DELETE is refused for whatever its body is. */
export function checkWriteHead(request: FastifyRequest): void {
  writeHead(request);
  idempotencyKeyOf(request.headers);
  timeoutMsOf(request.headers);
  contentTypeOf(receivedContentType(request.raw));
}

@Controller('v1/kv')
export class KeysController {
  constructor(
    private readonly store: KeyValueStore,
    private readonly clock: ServiceClock,
    private readonly shards: ShardDirectory,
  ) {}

  @DescribePut()
  @Put(':key')
  async put(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { key, guard } = writeHead(request);
    const operation = {
      kind: 'put',
      key,
      value: (request.body as Buffer | undefined) ?? EMPTY_VALUE,
      contentType: contentTypeOf(receivedContentType(request.raw)),
      expiresAt: null,
      conditions: guard.conditions,
    } as const;
    const repeatable = repeatableOf(request.headers);
    const deadline = this.deadline(request);
    const result = writeResult(
      operation,
      await guardedWrite(this.store, { operation, guard, repeatable, deadline }),
    );
    const headers = this.servedBy(result);
    if (result.kind === 'refused') {
      sendProblem(request, reply.headers(headers), result.error);
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
    headers['Content-Type'] = 'application/json';
    answerDirectly(reply, created ? 201 : 200, headers, JSON.stringify(written));
  }

  @DescribeGet()
  @Get(':key')
  async get(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const target = targetOf(request.raw);
    const key = keyOf(target);
    const consistency = consistencyOf(parseQuery(target.query, CONSISTENCY_PARAMETERS));
    checkReadConditions(request.headers);
    const result = readResult(key, await this.store.read(key, consistency, this.deadline(request)));
    const headers = this.servedBy(result);
    if (result.kind !== 'refused' && consistency.kind === 'stale' && result.stalenessMs !== null) {
      headers[REST_HEADERS.stalenessMs] = Math.ceil(result.stalenessMs);
    }
    if (result.kind === 'found') sendValue(request, reply, result, headers);
    else sendProblem(request, reply.headers(headers), result.error);
  }

  @DescribeDelete()
  @Delete(':key')
  async delete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { key, guard } = writeHead(request);
    const operation = { kind: 'delete', key, conditions: guard.conditions } as const;
    const repeatable = repeatableOf(request.headers);
    const deadline = this.deadline(request);
    const result = writeResult(
      operation,
      await guardedWrite(this.store, { operation, guard, repeatable, deadline }),
    );
    reply.headers(this.servedBy(result));
    if (result.kind === 'refused') sendProblem(request, reply, result.error);
    else await reply.code(204).send();
  }

  private deadline({ headers }: FastifyRequest): MonotonicMs {
    return this.clock.monotonicMs() + timeoutMsOf(headers);
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
  const condition = readCondition(request.headers, row);
  if (condition === 'failed') {
    sendProblem(request, reply.headers(headers), preconditionFailed(row.revision, row.version));
    return;
  }
  headers['ETag'] = entityTag(row.revision);
  headers[REST_HEADERS.version] = row.version;
  headers['Last-Modified'] = new Date(instantMs(row.modifiedAt)).toUTCString();
  if (condition === 'notModified') {
    // The framework would state a length for the 304 of a HEAD, 0, and so that of the value (RFC 9110, 8.6).
    answerDirectly(reply, 304, headers, null);
    return;
  }
  headers['Content-Type'] = row.contentType;
  // Values are whatever somebody stored: browsers are not to guess at them, nor to run them as pages of this origin.
  headers['X-Content-Type-Options'] = 'nosniff';
  headers['Content-Security-Policy'] = 'sandbox';
  answerDirectly(reply, 200, headers, value);
}

/**
 * Past the web framework, for the two answers that the gateway gives most (docs/adr/0010 has what it saves). Hooks
 * of the framework that follow the answer still run (onResponse); those that would change it do not (onSend).
 */
function answerDirectly(
  reply: FastifyReply,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Uint8Array | null,
): void {
  reply.hijack();
  headers['Cache-Control'] = 'no-cache';
  if (body !== null) {
    headers['Content-Length'] = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  }
  reply.raw.writeHead(status, headers).end(body);
}
