import { reportingFailures } from './failure.mjs';
import { run } from './launch.mjs';
import { prepare } from './prepare.mjs';

const SCRIPTS = new Set(['ringleader', 'import', 'export']);

/** npm changes to the clone's folder; names of files are meant from where the user stands. */
function whereTheUserStands() {
  const { npm_lifecycle_event: script, INIT_CWD: folder } = process.env;
  return SCRIPTS.has(script) && folder !== undefined ? folder : undefined;
}

await reportingFailures(async () => {
  await prepare(['apps/cli']);
  return run('apps/cli/dist/main.js', process.argv.slice(2), { cwd: whereTheUserStands() });
});
