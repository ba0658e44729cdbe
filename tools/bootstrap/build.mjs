import { join } from 'node:path';
import { capture, root, seconds } from './commands.mjs';
import { Failure, refusalOf } from './failure.mjs';
import { runtime } from './runtime.mjs';

/** The packages that make a local cluster. What a package uses is built with it. */
export const CLUSTER = [
  ...['coordinator', 'shard', 'gateway', 'failure-detector'].map((app) => `apps/${app}`),
  'tools/local-cluster',
];

/** Shorter than this, nothing is said: that nothing changed is found out in a third of a second. */
const SILENT_MS = 1_500;

/** Builds what changed in these packages, as the compiler finds out itself. */
export async function ensureBuilt(packages) {
  const startedAt = performance.now();
  const notice = setTimeout(() => console.error('Building...'), SILENT_MS);
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, output } = await capture(runtime(), [compiler, '-b', ...packages]);
  clearTimeout(notice);
  if (code === 0) {
    if (performance.now() - startedAt > SILENT_MS) console.error(`✓ built (${seconds(startedAt)})`);
    return;
  }
  const refusal = refusalOf({ message: output });
  const reason = refusal === undefined ? '; what the compiler said stands above.' : `: ${refusal}`;
  throw new Failure(`The build failed${reason}`, output);
}
