/** What each simulated core offers to the command line and to its tests. */
export interface SuiteRun {
  readonly seed: number;
  /** How many of the last events a failure shows; 0 keeps none, which is faster. */
  readonly traceLines: number;
  readonly profile?: string | undefined;
  readonly control?: string | undefined;
}

export interface SuiteResult {
  /** Null where every check held. */
  readonly failure: string | null;
  /** The name of the check that failed. */
  readonly check?: string | null;
  readonly trace: readonly string[];
  /** One line on what happened in the run. */
  readonly summary: string;
}

export interface SimulationSuite {
  readonly core: string;
  run(run: SuiteRun): SuiteResult;
  replayCommand(run: SuiteRun): string;
}
