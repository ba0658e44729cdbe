import type { ShardReply, ShardRequest } from './requests.js';
import type { Outbox } from './outbox.js';
import type { PaxosLimits } from './ready.js';

/** Bounds what is accepted and not yet answered, over all partitions. */
export class Admission {
  private requests = 0;
  private bytes = 0;

  constructor(
    private readonly limits: PaxosLimits,
    private readonly outbox: Outbox,
  ) {}

  get requestsWaiting(): number {
    return this.requests;
  }

  get bytesWaiting(): number {
    return this.bytes;
  }

  admit(request: ShardRequest): boolean {
    const bytes = requestBytes(request);
    const full = this.requests >= this.limits.requestsMax;
    if (full || (this.bytes > 0 && this.bytes + bytes > this.limits.requestBytesMax)) return false;
    this.requests += 1;
    this.bytes += bytes;
    return true;
  }

  /** The one answer to an admitted request. */
  answer(request: ShardRequest, reply: ShardReply): void {
    this.requests -= 1;
    this.bytes -= requestBytes(request);
    // A request that waits twice with one prepared answer (a repeat) has another token.
    this.outbox.reply(reply.token === request.token ? reply : { ...reply, token: request.token });
  }
}

function requestBytes(request: ShardRequest): number {
  if (request.kind !== 'write') return 0;
  return request.operation.kind === 'put' ? request.operation.value.length : 0;
}
