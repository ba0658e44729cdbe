import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { root } from './commands.mjs';
import { reportingFailures } from './failure.mjs';
import { ensureInstalled } from './install.mjs';
import { requireNode, runtime } from './runtime.mjs';

/** Unit and property tests, of the folders that are named or all. */
await reportingFailures(async () => {
  requireNode();
  await ensureInstalled();
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const options = [
    '--experimental-vm-modules',
    '--no-warnings=ExperimentalWarning',
    jest,
    '--testMatch=**/*.spec.ts',
  ];
  const { status } = spawnSync(runtime(), [...options, '--', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
  return status ?? 1;
});
