/** /v1/kv/{key} */
import { Controller, Delete, Get, Put, Req, Res } from '@nestjs/common';
import { REST_HEADERS } from '@ringleader/contracts';
import type { MonotonicMs } from '@ringleader/primitives';
import { ServiceClock } from '@ringleader/service-host';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access, READ_KEY, WRITE_KEY } from '../access/access.js';
import { writeAnswer } from '../http/answer.js';
import type { Answer } from '../http/answer.js';
import { receivedContentType } from '../http/request-head.js';
import { keyOf, parseQuery, targetOf } from '../http/request-target.js';
import { DescribeDelete, DescribeGet, DescribePut } from '../openapi/descriptions.js';
import { sendProblem } from '../http/problem.filter.js';
import type { RestError } from '../http/problem.filter.js';
import { ShardDirectory } from '../routing/shard-directory.js';
import { KeyValueStore } from './key-value-store.js';
import { checkReadConditions, guardedWrite, readCondition, writeGuardOf } from './preconditions.js';
import type { WriteGuard } from './preconditions.js';
import {
  preconditionFailed,
  readResult,
  servedBy,
  valueAnswer,
  writeResult,
  writtenAnswer,
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

  @Access(WRITE_KEY)
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
      operation.kind,
      key,
      await guardedWrite(this.store, { operation, guard, repeatable, deadline }),
    );
    if (result.kind === 'refused') this.refuse(request, reply, result, result.error);
    else answerDirectly(reply, writtenAnswer(key, result.reply, servedBy(result, this.shards)));
  }

  @Access(READ_KEY)
  @DescribeGet()
  @Get(':key')
  async get(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const target = targetOf(request.raw);
    const key = keyOf(target);
    const consistency = consistencyOf(parseQuery(target.query, CONSISTENCY_PARAMETERS));
    checkReadConditions(request.headers);
    const result = readResult(key, await this.store.read(key, consistency, this.deadline(request)));
    const served = servedBy(result, this.shards);
    if (result.kind !== 'refused' && consistency.kind === 'stale' && result.stalenessMs !== null) {
      const age = Math.ceil(result.stalenessMs);
      reply.header(REST_HEADERS.stalenessMs, age);
      served.push(REST_HEADERS.stalenessMs, age);
    }
    if (result.kind !== 'found') {
      this.refuse(request, reply, result, result.error);
      return;
    }
    const { row } = result;
    const condition = readCondition(request.headers, row);
    if (condition !== 'failed')
      answerDirectly(reply, valueAnswer(result, served, condition === 'notModified'));
    else this.refuse(request, reply, result, preconditionFailed(row.revision, row.version));
  }

  @Access(WRITE_KEY)
  @DescribeDelete()
  @Delete(':key')
  async delete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { key, guard } = writeHead(request);
    const operation = { kind: 'delete', key, conditions: guard.conditions } as const;
    const repeatable = repeatableOf(request.headers);
    const deadline = this.deadline(request);
    const result = writeResult(
      operation.kind,
      key,
      await guardedWrite(this.store, { operation, guard, repeatable, deadline }),
    );
    if (result.kind === 'refused') this.refuse(request, reply, result, result.error);
    else await this.served(reply, result).code(204).send();
  }

  private deadline({ headers }: FastifyRequest): MonotonicMs {
    return this.clock.monotonicMs() + timeoutMsOf(headers);
  }

  private refuse(
    request: FastifyRequest,
    reply: FastifyReply,
    result: WriteResult | ReadResult,
    error: RestError,
  ): void {
    sendProblem(request, this.served(reply, result), error);
  }

  private served(reply: FastifyReply, result: WriteResult | ReadResult): FastifyReply {
    const [name, shard] = servedBy(result, this.shards);
    return name === undefined ? reply : reply.header(String(name), shard);
  }
}

/**
 * Hooks of the framework that follow the answer still run (onResponse); those that would change it do not (onSend).
 * What needs none of them does not come here at all (hot-keys.ts).
 */
function answerDirectly(reply: FastifyReply, answer: Answer): void {
  reply.hijack();
  writeAnswer(reply.raw, answer);
}
