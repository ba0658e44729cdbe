import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, reportingFailures } from './failure.mjs';
import { CLUSTER, prepare, root, runtime, seconds } from './prepare.mjs';
import { CHECKS, jestArguments, SUITES } from './suites.mjs';
import { Tally } from './tally.mjs';

const STEPS = ['build', ...[...CHECKS, ...SUITES].map(({ name }) => name)];

const USAGE = `Usage: npm test [-- <step>...]

Runs everything that CI runs, or only the steps that are named:
  ${STEPS.join(', ')}

Everything is built first, whatever is named; "build" alone does nothing else.`;

function chosenSteps(names) {
  const unknown = names.find((name) => !STEPS.includes(name));
  if (unknown !== undefined) throw new Failure(`There is no step "${unknown}".\n\n${USAGE}`);
  return new Set(names.length === 0 ? STEPS : names);
}

/** Runs a step with its output on the terminal; true when it succeeded. Gives it up after so many minutes. */
function runStep(args, minutes) {
  const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1' };
  const environment = { ...process.env, CI: 'true', NX_DAEMON: 'false', ...plain };
  const child = spawn(runtime(), args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: environment,
    timeout: minutes * 60_000,
    killSignal: 'SIGKILL',
  });
  return once(child, 'exit').then(([code]) => code === 0);
}

async function readResult(file) {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
}

async function timed(name, action) {
  const startedAt = performance.now();
  console.log(`\n=== ${name}`);
  await action();
  console.log(`=== ${name}: ${seconds(startedAt)}`);
}

async function build(tally) {
  try {
    await prepare([...CLUSTER, 'apps/cli', 'libs/testing/local-cluster']);
    tally.addCheck('build', true);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(`${error.output}\n${error.message}`);
    tally.addCheck('build', false);
  }
}

async function runAll(names) {
  const chosen = chosenSteps(names);
  await prepare();
  const tally = new Tally();
  const results = await mkdtemp(join(tmpdir(), 'ringleader-test-'));
  await timed('build', () => build(tally));
  for (const check of CHECKS.filter(({ name }) => chosen.has(name))) {
    await timed(check.name, async () => tally.addCheck(check.name, await runStep(check.args, 10)));
  }
  for (const suite of SUITES.filter(({ name }) => chosen.has(name))) {
    const file = join(results, `${suite.name}.json`);
    await timed(suite.name, async () => {
      await runStep(jestArguments(suite, file), suite.minutes);
      tally.addJest(suite.name, await readResult(file));
    });
  }
  await rm(results, { recursive: true, force: true });
  console.log(`\n${tally.failures.map((name) => `FAILED ${name}\n`).join('')}${tally.summary()}`);
  return tally.failed === 0 ? 0 : 1;
}

await reportingFailures(() => runAll(process.argv.slice(2)));
