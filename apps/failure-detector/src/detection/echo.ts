import { HEARTBEAT_INTERVAL_MS } from '@ringleader/contracts';
import type { MonotonicMs } from '@ringleader/primitives';

const SILENCE_MAX_MS = 2 * HEARTBEAT_INTERVAL_MS;

/**
 * The detector's own heartbeat, as it comes back from NATS. While it does not, the silence of others says nothing about
 * them: the connection, or NATS itself, is at fault.
 */
export class Echo {
  #lastAt: MonotonicMs | undefined;

  heard(now: MonotonicMs): void {
    this.#lastAt = now;
  }

  isRecent(now: MonotonicMs): boolean {
    return this.#lastAt !== undefined && now - this.#lastAt <= SILENCE_MAX_MS;
  }
}
