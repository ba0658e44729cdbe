import { reportingFailures } from './failure.mjs';
import { run } from './launch.mjs';
import { prepare } from './prepare.mjs';

await reportingFailures('The simulation cannot run', async () => {
  await prepare(['tests/simulation']);
  return run('tests/simulation/dist/replay.js', process.argv.slice(2));
});
