import { CLUSTER } from './build.mjs';
import { reportingFailures } from './failure.mjs';
import { prepare, run } from './launch.mjs';

await reportingFailures(async () => {
  await prepare([...CLUSTER, 'tests/benchmark']);
  return run('tests/benchmark/dist/main.js', process.argv.slice(2));
});
