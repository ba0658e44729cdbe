/** The way between shards and coordinators: delayed, lost, late, and cut for one shard or another. */
import type { Prng } from '@ringleader/primitives';
import type { EventQueue } from '@ringleader/testing-simulation';
import type { ElasticSettings } from './settings.js';

const DELAY_MS = { min: 0.5, max: 8 };

export class ControlLinks {
  readonly #events: EventQueue;
  readonly #prng: Prng;
  readonly #settings: Pick<ElasticSettings, 'controlLoss' | 'controlTail'>;
  readonly #cutUntil = new Map<string, number>();
  #isHealed = false;

  constructor(
    events: EventQueue,
    prng: Prng,
    settings: Pick<ElasticSettings, 'controlLoss' | 'controlTail'>,
  ) {
    this.#events = events;
    this.#prng = prng;
    this.#settings = settings;
  }

  cut(name: string, durationMs: number): void {
    this.#cutUntil.set(name, this.#events.now + durationMs);
  }

  isCut(name: string): boolean {
    return !this.#isHealed && (this.#cutUntil.get(name) ?? 0) > this.#events.now;
  }

  /** From now on nothing is lost, late or cut. */
  heal(): void {
    this.#isHealed = true;
  }

  /** Either way; what is lost says nothing. */
  send(name: string, arrive: () => void): void {
    const { controlLoss, controlTail } = this.#settings;
    const isLost = this.#prng.nextFloat() < controlLoss;
    const isLate = this.#prng.nextBelow(controlTail.oneIn) === 0;
    const max = isLate && !this.#isHealed ? controlTail.ms : DELAY_MS.max;
    const delayMs = DELAY_MS.min + this.#prng.nextFloat() * (max - DELAY_MS.min);
    if (this.isCut(name) || (isLost && !this.#isHealed)) return;
    this.#events.after(delayMs, arrive);
  }
}
