import { CLUSTER } from './build.mjs';
import { reportingFailures } from './failure.mjs';
import { prepare, run } from './launch.mjs';
import { asksForHelp, startHelp } from '../local-cluster/start-options.mjs';

const args = process.argv.slice(2);

await reportingFailures(async () => {
  if (asksForHelp(args)) {
    console.log(startHelp());
    return 0;
  }
  await prepare(CLUSTER);
  return run('tools/local-cluster/dist/main.js', args, { lifeline: true });
});
