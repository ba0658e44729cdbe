import type { HybridTime, Revision } from '@ringleader/primitives';

export interface FailedRequest {
  readonly origin: HybridTime;
  /** The row that it was decided on; 0 where there was none. */
  readonly decidedOn: Revision;
  readonly kind: 'conditionFailed' | 'absent';
  readonly revision: Revision;
  readonly version: number;
}

const FAILED_MAX = 1_024;

/**
 * The failed conditions a leader answered, or is about to answer, at its ballot: the same request gets the same answer
 * again, though the condition may hold by now (docs/PROTOCOL.md 4.7.4). Bounded: what falls off raises the floor.
 */
export class FailedRequests {
  private readonly requests = new Map<string, FailedRequest>();
  floor: HybridTime = 0;

  get(requestId: string): FailedRequest | undefined {
    return this.requests.size === 0 ? undefined : this.requests.get(requestId);
  }

  remember(requestId: string, failed: FailedRequest): void {
    this.requests.set(requestId, failed);
    if (this.requests.size <= FAILED_MAX) return;
    for (const [oldest, { origin }] of this.requests) {
      this.requests.delete(oldest);
      this.floor = Math.max(this.floor, origin);
      return;
    }
  }
}
