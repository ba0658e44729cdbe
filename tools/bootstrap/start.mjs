import { CLUSTER } from './build.mjs';
import { reportingFailures } from './failure.mjs';
import { prepare, run } from './launch.mjs';

await reportingFailures(async () => {
  await prepare(CLUSTER);
  return run('tools/local-cluster/dist/main.js', process.argv.slice(2), { lifeline: true });
});
