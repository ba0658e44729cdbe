/** What every request below /v1/kv says of itself besides its operation. */
import { Injectable } from '@nestjs/common';
import type { MonotonicMs } from '@ringleader/primitives';
import type { FastifyRequest } from 'fastify';
import type { Repeatable } from './key-value-store.js';
import { idempotencyKeyOf, timeoutMsOf } from './request-headers.js';

@Injectable()
export class RequestContext {
  constructor(readonly monotonicMs: () => MonotonicMs) {}

  timeoutMs(request: FastifyRequest): number {
    return timeoutMsOf(request.headers);
  }

  deadline(request: FastifyRequest): MonotonicMs {
    return this.monotonicMs() + timeoutMsOf(request.headers);
  }

  repeatable(request: FastifyRequest): Repeatable | null {
    const idempotencyKey = idempotencyKeyOf(request.headers);
    return idempotencyKey === null ? null : { idempotencyKey, occurrence: 0 };
  }
}
