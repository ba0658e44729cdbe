import { reportingFailures } from './failure.mjs';
import { run, whereTheUserStands } from './launch.mjs';
import { CLUSTER, prepare } from './prepare.mjs';
import { parseStart, startHelp } from './start-options.mjs';

await reportingFailures('Ringleader cannot start', async () => {
  const options = parseStart(process.argv.slice(2), whereTheUserStands(['start']));
  if (options === undefined) {
    console.log(startHelp());
    return 0;
  }
  await prepare(CLUSTER);
  return run('tools/local-cluster/dist/main.js', [JSON.stringify(options)], { lifeline: true });
});
