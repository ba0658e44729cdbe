import { SIMULATION } from './build.mjs';
import { reportingFailures } from './failure.mjs';
import { prepare, run } from './launch.mjs';

await reportingFailures(async () => {
  await prepare(SIMULATION);
  return run('tests/simulation/dist/replay.js', process.argv.slice(2));
});
