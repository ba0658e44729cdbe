/** What each simulated core offers to the command line and to its tests. */
import { Misuse } from '@ringleader/testing-simulation';

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

export function replayCommandOf(core: string, run: SuiteRun): string {
  const profile = run.profile === undefined ? '' : ` --profile ${run.profile}`;
  const control = run.control === undefined ? '' : ` --control ${run.control}`;
  return `pnpm sim --core ${core} --seed ${String(run.seed)}${profile}${control} --trace`;
}

export function named<T extends { readonly name: string }>(what: string, all: readonly T[], name: string): T {
  const found = all.find((one) => one.name === name);
  if (found === undefined) {
    throw new Misuse(`unknown ${what} '${name}'; there are ${all.map((one) => one.name).join(', ')}`);
  }
  return found;
}
