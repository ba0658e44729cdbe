import { join } from 'node:path';
import { capture, root, seconds } from './commands.mjs';
import { Failure } from './failure.mjs';
import { packageFiles, Stamp, statFingerprint } from './fingerprint.mjs';
import { runtime } from './runtime.mjs';

/** What `npm start` and its tools run; packages they use are built with them. */
const TARGETS = [
  ...['apps/coordinator', 'apps/shard', 'apps/gateway', 'apps/failure-detector'],
  ...['tools/local-cluster', 'tools/transfer'],
];

function isSource(name) {
  return (
    (name.endsWith('.ts') && !name.endsWith('spec.ts')) || name === 'tsconfig.json' || name === 'package.json'
  );
}

/**
 * Builds what changed. The compiler finds that out itself, in about a second; that nothing at all changed is found
 * out here, in a few milliseconds, from the times and sizes of the sources and the presence of the results.
 */
export async function ensureBuilt() {
  const sources = await packageFiles(isSource, ['apps', 'libs', 'tools']);
  const results = TARGETS.map((target) =>
    join(root, target, 'dist', target.startsWith('apps/') ? 'main.js' : 'index.js'),
  );
  const fingerprint = await statFingerprint([...sources, join(root, 'tsconfig.base.json')]);
  const stamp = new Stamp('build');
  if ((await stamp.matches(fingerprint)) && (await allExist(results))) return;
  const startedAt = performance.now();
  console.log('Building...');
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, output } = await capture(runtime(), [compiler, '-b', ...TARGETS]);
  if (code !== 0) throw new Failure('The build failed; what the compiler said stands above.', output);
  await stamp.write(fingerprint);
  console.log(`✓ built (${seconds(startedAt)})`);
}

async function allExist(files) {
  return statFingerprint(files).then(
    () => true,
    () => false,
  );
}
