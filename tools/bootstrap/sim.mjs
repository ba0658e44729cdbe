import { reportingFailures } from './failure.mjs';
import { prepare, run } from './launch.mjs';

await reportingFailures(async () => {
  await prepare(['tests/simulation']);
  return run('tests/simulation/dist/replay.js', process.argv.slice(2));
});
