/**
 * Runs seeds of a simulation by hand, for as long as wanted, and replays one that failed:
 *   pnpm sim --core paxos --seed 7 [--profile NAME] [--control NAME] [--trace [LINES]]
 *   pnpm sim --core paxos --seeds 1..10000
 */
import { parseArgs } from 'node:util';
import { Misuse, parseSeeds } from '@ringleader/testing-simulation';
import { detectionSuite } from './detection/suite.js';
import { elasticSuite } from './elastic/suite.js';
import { paxosSuite } from './paxos/suite.js';
import { raftSuite } from './raft/suite.js';
import type { SimulationSuite, SuiteRun } from './suite.js';

const SUITES: readonly SimulationSuite[] = [paxosSuite, raftSuite, elasticSuite, detectionSuite];
const TRACE_LINES = 200;

const HELP = `Runs seeds of a simulation: whole groups of processes with simulated clocks, network and disks. A seed is a run.

  pnpm sim --core CORE [--seed N | --seeds FIRST..LAST] [--profile NAME] [--control NAME] [--trace [--lines N]]

  --core CORE        ${SUITES.map(({ core }) => core).join(', ')}
  --seed, --seeds    which; 1..200 when neither is given
  --profile NAME     a kind of run, where the core has several
  --control NAME     the protocol with one rule broken: its check must find it
  --trace            shows the last events of a run that fails, ${String(TRACE_LINES)} or as many as --lines says

The exit code is 0 when every check held, 1 when one failed, 2 for a call that cannot be understood.
`;

const OPTIONS = {
  core: { type: 'string' },
  seed: { type: 'string' },
  seeds: { type: 'string' },
  profile: { type: 'string' },
  control: { type: 'string' },
  trace: { type: 'boolean', default: false },
  lines: { type: 'string' },
  help: { type: 'boolean', default: false, short: 'h' },
} as const;

function main(): number {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const suite = SUITES.find(({ core }) => core === values.core);
  if (suite === undefined) return usage(`--core must be one of ${SUITES.map(({ core }) => core).join(', ')}`);
  const { first, last } = parseSeeds(values.seeds ?? values.seed ?? '1..200');
  const traceLines = values.trace ? Number(values.lines ?? TRACE_LINES) : 0;
  let failures = 0;
  const startedAt = performance.now();
  for (let seed = first; seed <= last; seed += 1) {
    const run = { seed, traceLines, profile: values.profile, control: values.control };
    if (!passes(suite, run, { alone: first === last })) failures += 1;
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  print(`${String(last - first + 1)} seeds, ${String(failures)} failed, ${seconds} s`);
  return failures === 0 ? 0 : 1;
}

/** Says what happened: of one that fails, or of the only one. */
function passes(suite: SimulationSuite, run: SuiteRun, { alone }: { readonly alone: boolean }): boolean {
  const { failure, trace, summary } = suite.run(run);
  if (failure === null) {
    if (alone) print(`seed ${String(run.seed)}: ${summary}`);
    return true;
  }
  for (const line of trace) print(line);
  print(`seed ${String(run.seed)} FAILED: ${failure}\n  ${suite.replayCommand(run)}`);
  return false;
}

function usage(problem: string): number {
  process.stderr.write(`${problem}\nSee: pnpm sim --help\n`);
  return 2;
}

/** What was asked for does not exist, or cannot be read; a fault of the simulation is neither. */
function isMisuse(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return code.startsWith('ERR_PARSE_ARGS_') || error instanceof Misuse;
}

function mainOrUsage(): number {
  try {
    return main();
  } catch (error) {
    if (isMisuse(error)) return usage(error.message);
    throw error;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.stdout.on('error', () => process.exit(1));
process.exitCode = mainOrUsage();
