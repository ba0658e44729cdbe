/**
 * Flapping damped, as BGP damps routes (RFC 2439): each return of a suspect is a penalty, which decays by half in a while.
 * Who has gathered too much of it stays a suspect though it beats, until the penalty has decayed. Bounded: the penalty has
 * a ceiling from which it decays in the longest hold.
 */
import type { DampingSettings } from './settings.js';

export class FlapDamping {
  readonly #settings: DampingSettings;
  readonly #ceiling: number;
  #penalty = 0;
  #at = 0;
  #isHeld = false;

  constructor(settings: DampingSettings) {
    this.#settings = settings;
    const { releaseAt, holdMaxMs, halfLifeMs } = settings;
    this.#ceiling = releaseAt * 2 ** (holdMaxMs / halfLifeMs);
  }

  /** A suspect came back. */
  flap(now: number): void {
    this.#decay(now);
    this.#penalty = Math.min(this.#penalty + 1, this.#ceiling);
    if (this.#penalty >= this.#settings.holdAt) this.#isHeld = true;
  }

  isHeld(now: number): boolean {
    if (!this.#isHeld) return false;
    this.#decay(now);
    if (this.#penalty <= this.#settings.releaseAt) this.#isHeld = false;
    return this.#isHeld;
  }

  #decay(now: number): void {
    this.#penalty *= 2 ** -((now - this.#at) / this.#settings.halfLifeMs);
    this.#at = now;
  }
}
