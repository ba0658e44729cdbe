/**
 * Whether a follower keeps up (thesis 4.2.1): it is sent the log in rounds, each up to where the log ended when the round began.
 * Once a round has taken less than an election time-out, a vote of this follower would hold nobody up for longer than an
 * election does; while one takes longer, it lags, however close it seems.
 */
import type { LogIndex } from '../types.js';

export class CatchUp {
  #target: LogIndex;
  #ticks = 0;
  #isCaughtUp = false;

  constructor(lastIndex: LogIndex) {
    this.#target = lastIndex;
  }

  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** The follower has everything up to `match`. */
  reached(match: LogIndex, lastIndex: LogIndex, ticksMax: number): void {
    if (match < this.#target) return;
    this.#isCaughtUp = this.#ticks < ticksMax;
    this.#target = lastIndex;
    this.#ticks = 0;
  }

  tick(match: LogIndex, lastIndex: LogIndex, ticksMax: number): void {
    this.reached(match, lastIndex, ticksMax);
    if (match >= this.#target) return;
    this.#ticks += 1;
    if (this.#ticks >= ticksMax) this.#isCaughtUp = false;
  }
}
