import { reportingFailures } from './failure.mjs';
import { run } from './launch.mjs';
import { prepare, root } from './prepare.mjs';
import { JEST, JEST_FLAGS } from './suites.mjs';

/** Unit and property tests, of the folders that are named or all. */
await reportingFailures('The tests cannot run', async () => {
  await prepare();
  const args = ['--testMatch=**/*.spec.ts', '--', ...process.argv.slice(2)];
  return run(JEST, args, { flags: JEST_FLAGS, cwd: root });
});
