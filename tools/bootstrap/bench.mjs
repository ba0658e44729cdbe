import { reportingFailures } from './failure.mjs';
import { run } from './launch.mjs';
import { CLUSTER, prepare } from './prepare.mjs';

await reportingFailures(async () => {
  await prepare([...CLUSTER, 'tests/benchmark']);
  return run('tests/benchmark/dist/main.js', process.argv.slice(2));
});
