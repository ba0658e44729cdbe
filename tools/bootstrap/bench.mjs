import { reportingFailures } from './failure.mjs';
import { run, whereTheUserStands } from './launch.mjs';
import { CLUSTER, prepare } from './prepare.mjs';

await reportingFailures('The benchmark cannot run', async () => {
  await prepare([...CLUSTER, 'tests/benchmark']);
  return run('tests/benchmark/dist/main.js', process.argv.slice(2), { cwd: whereTheUserStands(['bench']) });
});
