import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, reportingFailures } from './failure.mjs';
import { CLUSTER, prepare, root, runtime, seconds } from './prepare.mjs';
import { CHECKS, JEST, JEST_FLAGS, jestArguments, SUITES } from './suites.mjs';
import { Tally } from './tally.mjs';

const tally = new Tally();

/** Runs a tool, given up after so many minutes, with its output on the terminal or, where others run beside it, kept till its end. */
async function runTool(args, minutes, { isBesideOthers = false, env = {} } = {}) {
  const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1' };
  const output = isBesideOthers ? 'pipe' : 'inherit';
  const child = spawn(runtime(), args, {
    cwd: root,
    stdio: ['ignore', output, output],
    env: { ...process.env, CI: 'true', NX_DAEMON: 'false', ...plain, ...env },
    timeout: minutes * 60_000,
    killSignal: 'SIGKILL',
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => said.push(chunk));
  const [code] = await once(child, 'close');
  return { isGood: code === 0, said: Buffer.concat(said).toString() };
}

async function build() {
  const built = await prepare([...CLUSTER, 'apps/operator', 'apps/cli', 'libs/testing/local-cluster']).then(
    () => true,
    (error) => {
      if (!(error instanceof Failure)) throw error;
      console.error(`${error.output}\n${error.message}`);
      return false;
    },
  );
  tally.addCheck('build', built);
}

/** Says why, and counts as one test that was skipped. */
function skip(reason) {
  console.log(`skipped: ${reason}`);
  tally.addSkipped();
}

async function runSuite(suite) {
  const { missing, env } = (await suite.needs?.()) ?? {};
  if (missing !== undefined) return skip(missing);
  const file = join(tmpdir(), `ringleader-test-${process.pid}-${suite.name}.json`);
  const args = [...JEST_FLAGS, join(root, JEST), ...jestArguments(suite, file)];
  await runTool(args, suite.minutes, { env });
  tally.addJest(suite.name, existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : undefined);
  await rm(file, { force: true });
}

async function runCheck({ name, args }) {
  const startedAt = performance.now();
  const { isGood, said } = await runTool(args, 10, { isBesideOthers: true });
  tally.addCheck(name, isGood);
  console.log(`\n=== ${name}\n${said.trimEnd()}\n=== ${name}: ${seconds(startedAt)}`);
}

/** Each has one thread: two at a time, in the order in which they stand. */
async function runChecks(checks) {
  const left = [...checks];
  const lane = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await runCheck(next);
  };
  await Promise.all([lane(), lane()]);
}

async function runStep(name, run) {
  const startedAt = performance.now();
  console.log(`\n=== ${name}`);
  await run();
  console.log(`=== ${name}: ${seconds(startedAt)}`);
}

const STEPS = ['build', ...CHECKS, ...SUITES].map((step) => step.name ?? step);

const USAGE = `Usage: npm test [-- <step>...]

Runs everything that CI runs, or only the steps that are named:
  ${STEPS.join(', ')}

Everything is built first, whatever is named; "build" alone does nothing else.`;

async function runAll(names) {
  const unknown = names.find((name) => !STEPS.includes(name));
  if (unknown !== undefined) throw new Failure(`There is no step "${unknown}".\n\n${USAGE}`);
  await prepare();
  const wanted = ({ name }) => names.length === 0 || names.includes(name);
  await runStep('build', build);
  await runChecks(CHECKS.filter(wanted));
  for (const suite of SUITES.filter(wanted)) await runStep(suite.name, () => runSuite(suite));
  console.log(`\n${tally.failures.map((name) => `FAILED ${name}\n`).join('')}${tally.summary()}`);
  return tally.failures.length === 0 ? 0 : 1;
}

await reportingFailures('The tests cannot run', () => runAll(process.argv.slice(2)));
