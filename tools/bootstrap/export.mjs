import { TRANSFER } from './build.mjs';
import { reportingFailures } from './failure.mjs';
import { prepare, run } from './launch.mjs';

await reportingFailures(async () => {
  await prepare(TRANSFER);
  return run('tools/transfer/dist/main.js', ['export', ...process.argv.slice(2)]);
});
