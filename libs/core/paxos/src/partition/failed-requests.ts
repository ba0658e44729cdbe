import type { HybridTime, Revision } from '@ringleader/primitives';
import { isKeyed } from '../requests.js';
import { hashOf } from './key-hash.js';

export interface FailedRequest {
  readonly key: string;
  readonly origin: HybridTime;
  /** The row that it was decided on; 0 where there was none. */
  readonly decidedOn: Revision;
  readonly kind: 'conditionFailed' | 'absent';
  readonly revision: Revision;
  readonly version: number;
}

const FAILED_MAX = 1_024;
const FLOORS = 256;

/**
 * The failed conditions a leader answered, or is about to answer, at its ballot: the same request gets the same answer
 * again, though the condition may hold by now (docs/PROTOCOL.md 4.7.4). Bounded: what falls off raises the floor of its key,
 * and of those keys that share it. Keyed and other requests are apart: a keyed one is compared by its earliest attempt, which
 * lies before the floors that a second of refused others raises.
 */
export class FailedRequests {
  private readonly keyed = new BoundedMemory();
  private readonly others = new BoundedMemory();

  get(requestId: string): FailedRequest | undefined {
    const { requests } = this.memoryOf(requestId);
    // Asked at each write, and mostly empty: an id that nobody else looks up is not worth its hash.
    return requests.size === 0 ? undefined : requests.get(requestId);
  }

  remember(requestId: string, failed: FailedRequest): void {
    this.memoryOf(requestId).remember(requestId, failed);
  }

  /** What such a request of the key was refused at or before this may be forgotten. */
  floorOf(requestId: string, key: string): HybridTime {
    return this.memoryOf(requestId).floorOf(key);
  }

  private memoryOf(requestId: string): BoundedMemory {
    return isKeyed(requestId) ? this.keyed : this.others;
  }
}

class BoundedMemory {
  readonly requests = new Map<string, FailedRequest>();
  /** By the hash of keys; most memories forget nothing. */
  private floors: Float64Array | null = null;

  remember(requestId: string, failed: FailedRequest): void {
    this.requests.set(requestId, failed);
    if (this.requests.size <= FAILED_MAX) return;
    for (const [oldest, { key, origin }] of this.requests) {
      this.requests.delete(oldest);
      this.floors ??= new Float64Array(FLOORS);
      const at = placeOf(key);
      this.floors[at] = Math.max(this.floors[at]!, origin);
      return;
    }
  }

  floorOf(key: string): HybridTime {
    return this.floors === null ? 0 : this.floors[placeOf(key)]!;
  }
}

const placeOf = (key: string): number => (hashOf(key) >>> 0) % FLOORS;
