import { type MonotonicMs, invariant } from '@ringleader/primitives';
import type { StoreRevision } from './commands.js';

interface Sighting {
  readonly at: MonotonicMs;
  readonly revision: StoreRevision;
}

/**
 * Which revision was the newest when, as one member saw it: what automatic compaction by age is decided by. It is no part
 * of the store, which knows no clock: a leader keeps it in memory and names the revision in a command. A new leader knows
 * of no age before its own, and forgets later rather than sooner.
 */
export class RevisionAges {
  #sightings: Sighting[] = [];

  constructor(
    /** How far apart sightings are, which is how exact ages are. */
    private readonly everyMs: number,
  ) {
    invariant(everyMs > 0, 'sightings are some time apart');
  }

  /** Sightings that are kept. */
  get count(): number {
    return this.#sightings.length;
  }

  /** To be called now and then, or after each change. */
  note(revision: StoreRevision, now: MonotonicMs): void {
    const last = this.#sightings.at(-1);
    if (last === undefined || now - last.at >= this.everyMs) this.#sightings.push({ at: now, revision });
  }

  /** The newest revision that was reached at least so long ago, or null where none is known. What is older is forgotten. */
  reachedBefore(ageMs: number, now: MonotonicMs): StoreRevision | null {
    const younger = this.#sightings.findIndex(({ at }) => at > now - ageMs);
    const count = younger === -1 ? this.#sightings.length : younger;
    if (count === 0) return null;
    this.#sightings.splice(0, count - 1);
    return (this.#sightings[0] as Sighting).revision;
  }
}
