import { reportingFailures } from './failure.mjs';
import { run, whereTheUserStands } from './launch.mjs';
import { prepare } from './prepare.mjs';

const SCRIPTS = ['ringleader', 'import', 'export'];

await reportingFailures('ringleader cannot run', async () => {
  await prepare(['apps/cli']);
  return run('apps/cli/dist/main.js', process.argv.slice(2), { cwd: whereTheUserStands(SCRIPTS) });
});
