/**
 * Runs seeds of a simulation by hand, for as long as wanted, and replays one that failed:
 *   pnpm sim --core paxos --seed 7 [--profile NAME] [--control NAME] [--trace [LINES]]
 *   pnpm sim --core paxos --seeds 1..10000
 */
import { parseArgs } from 'node:util';
import { parseSeeds } from '@ringleader/testing-simulation';
import { paxosSuite } from './paxos/suite.js';
import { raftSuite } from './raft/suite.js';
import type { SimulationSuite } from './suite.js';

const SUITES: readonly SimulationSuite[] = [paxosSuite, raftSuite];
const TRACE_LINES = 200;

function main(): number {
  const { values } = parseArgs({
    options: {
      core: { type: 'string' },
      seed: { type: 'string' },
      seeds: { type: 'string' },
      profile: { type: 'string' },
      control: { type: 'string' },
      trace: { type: 'boolean', default: false },
      lines: { type: 'string' },
    },
  });
  const suite = SUITES.find(({ core }) => core === values.core);
  if (suite === undefined) return usage(`--core must be one of ${SUITES.map(({ core }) => core).join(', ')}`);
  const { first, last } = parseSeeds(values.seeds ?? values.seed ?? '1..200');
  const traceLines = values.trace ? Number(values.lines ?? TRACE_LINES) : 0;
  let failures = 0;
  const startedAt = performance.now();
  for (let seed = first; seed <= last; seed += 1) {
    const run = { seed, traceLines, profile: values.profile, control: values.control };
    const { failure, trace, summary } = suite.run(run);
    if (failure === null) {
      if (first === last) print(`seed ${String(seed)}: ${summary}`);
      continue;
    }
    failures += 1;
    for (const line of trace) print(line);
    print(`seed ${String(seed)} FAILED: ${failure}\n  ${suite.replayCommand(run)}`);
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  print(`${String(last - first + 1)} seeds, ${String(failures)} failed, ${seconds} s`);
  return failures === 0 ? 0 : 1;
}

function usage(problem: string): number {
  process.stderr.write(`${problem}\n`);
  return 2;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.stdout.on('error', () => process.exit(1));
process.exitCode = main();
