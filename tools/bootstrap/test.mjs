import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, reportingFailures } from './failure.mjs';
import { CLUSTER, prepare, root, runtime, seconds } from './prepare.mjs';
import { CHECKS, jestArguments, SUITES } from './suites.mjs';
import { Tally } from './tally.mjs';

const tally = new Tally();

/** Runs a tool with its output on the terminal; true when it succeeded. Gives it up after so many minutes. */
async function runTool(args, minutes) {
  const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1' };
  const child = spawn(runtime(), args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CI: 'true', NX_DAEMON: 'false', ...plain },
    timeout: minutes * 60_000,
    killSignal: 'SIGKILL',
  });
  const [code] = await once(child, 'exit');
  return code === 0;
}

async function build() {
  const built = await prepare([...CLUSTER, 'apps/cli', 'libs/testing/local-cluster']).then(
    () => true,
    (error) => {
      if (!(error instanceof Failure)) throw error;
      console.error(`${error.output}\n${error.message}`);
      return false;
    },
  );
  tally.addCheck('build', built);
}

async function runSuite(suite) {
  const file = join(tmpdir(), `ringleader-test-${process.pid}-${suite.name}.json`);
  await runTool(jestArguments(suite, file), suite.minutes);
  tally.addJest(suite.name, existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : undefined);
  await rm(file, { force: true });
}

const STEPS = {
  build,
  ...Object.fromEntries(
    CHECKS.map(({ name, args }) => [name, async () => tally.addCheck(name, await runTool(args, 10))]),
  ),
  ...Object.fromEntries(SUITES.map((suite) => [suite.name, () => runSuite(suite)])),
};

const USAGE = `Usage: npm test [-- <step>...]

Runs everything that CI runs, or only the steps that are named:
  ${Object.keys(STEPS).join(', ')}

Everything is built first, whatever is named; "build" alone does nothing else.`;

async function runAll(names) {
  const unknown = names.find((name) => STEPS[name] === undefined);
  if (unknown !== undefined) throw new Failure(`There is no step "${unknown}".\n\n${USAGE}`);
  await prepare();
  for (const [name, run] of Object.entries(STEPS)) {
    if (names.length > 0 && !['build', ...names].includes(name)) continue;
    const startedAt = performance.now();
    console.log(`\n=== ${name}`);
    await run();
    console.log(`=== ${name}: ${seconds(startedAt)}`);
  }
  console.log(`\n${tally.failures.map((name) => `FAILED ${name}\n`).join('')}${tally.summary()}`);
  return tally.failures.length === 0 ? 0 : 1;
}

await reportingFailures(() => runAll(process.argv.slice(2)));
