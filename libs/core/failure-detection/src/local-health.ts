/**
 * How far a detector trusts itself (Dadgar et al., "Lifeguard: local health awareness for more accurate failure
 * detection", 2018): 0 is full health; each sign of own slowness raises it, each sign of health lowers it, and all
 * waiting is multiplied by 1 + score.
 */
export class LocalHealth {
  readonly #scoreLimit: number;
  #score = 0;

  /** 0 <= score < scoreLimit. */
  constructor(scoreLimit: number) {
    this.#scoreLimit = scoreLimit;
  }

  get score(): number {
    return this.#score;
  }

  apply(delta: number): void {
    this.#score = Math.min(Math.max(this.#score + delta, 0), this.#scoreLimit - 1);
  }

  scale(durationMs: number): number {
    return durationMs * (1 + this.#score);
  }
}
