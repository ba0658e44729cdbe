import { SimulationFailure } from './failure.js';

/**
 * Decides which failed checks end a run. A negative control names the check that must find it; that another one finds it
 * first proves nothing about that one, so it is noted, and the run goes on as if nobody had looked.
 */
export class Judge {
  /** Failed checks that did not count, and how often. */
  readonly passedOver = new Map<string, number>();
  readonly #counting: ReadonlySet<string> | null;

  /** Null: every check counts. */
  constructor(counting: ReadonlySet<string> | null = null) {
    this.#counting = counting;
  }

  /** One check: state that later checks rest on must not be changed inside of it. */
  check(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof SimulationFailure) || this.counts(error.check)) throw error;
      this.passedOver.set(error.check, (this.passedOver.get(error.check) ?? 0) + 1);
    }
  }

  counts(check: string): boolean {
    return this.#counting === null || this.#counting.has(check);
  }
}
