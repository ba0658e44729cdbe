/**
 * Repeats of a client's request (docs/PROTOCOL.md 4.7). The request id is derived from the client's Idempotency-Key, the
 * key and what is done, so that a repeat carries the id of the first one, through any gateway, and the row of the key
 * gives the first answer as long as it remembers the id: for the key's next three writes.
 *
 * Past that, replicas remember the keyed writes that they saw pass (docs/PROTOCOL.md 4.7.6), which they know by the prefix of
 * the id. Repeats within a minute of the first attempt get the first answer, or OUTCOME_UNKNOWN where nobody can tell any
 * more; they are never carried out twice. This gateway also remembers origin and success, for as many requests as fit. It
 * never answers by a refusal that it remembers: since then the client may have asked another gateway, which carried it out.
 */
import { createHash } from 'node:crypto';
import { KEYED_ID_PREFIX } from '@ringleader/paxos';
import type { HybridTime } from '@ringleader/primitives';
import type { Outcome } from '../routing/in-flight.js';

const ID_BYTES = 18;

/** `occurrence` tells the operations of one batch apart that do the same to one key. */
export function derivedRequestId(
  idempotencyKey: string,
  action: 'put' | 'delete',
  key: string,
  occurrence: number,
): string {
  const parts = JSON.stringify([idempotencyKey, action, key, occurrence]);
  const hash = createHash('sha256').update(parts).digest().subarray(0, ID_BYTES).toString('base64url');
  return `${KEYED_ID_PREFIX}${hash}`;
}

type Answered = Extract<Outcome, { readonly kind: 'answered' }>;

export interface FirstRequest {
  readonly origin: HybridTime;
  /** Null while it is not known that it was carried out. */
  readonly success: Answered | null;
}

/** The most recent requests that carried an Idempotency-Key. */
export class RepeatMemory {
  private readonly requests = new Map<string, FirstRequest>();

  constructor(private readonly requestsMax: number) {}

  find(requestId: string): FirstRequest | null {
    return this.requests.get(requestId) ?? null;
  }

  remember(requestId: string, origin: HybridTime, outcome: Outcome | null): void {
    const known = this.requests.get(requestId);
    this.requests.delete(requestId);
    const isSuccess = outcome?.kind === 'answered' && outcome.reply.kind === 'written';
    const success = known?.success ?? (isSuccess ? outcome : null);
    this.requests.set(requestId, { origin: known?.origin ?? origin, success });
    if (this.requests.size <= this.requestsMax) return;
    const oldest = this.requests.keys().next();
    if (!oldest.done) this.requests.delete(oldest.value);
  }
}
