import { join } from 'node:path';
import { capture, root, seconds } from './commands.mjs';
import { Failure, refusalOf } from './failure.mjs';
import { packageFiles, Stamp, statFingerprint } from './fingerprint.mjs';
import { runtime } from './runtime.mjs';

/** What is built for `npm start` and for the tests that use it; packages they use are built with them. */
export const CLUSTER = {
  name: 'cluster',
  programs: [
    'apps/coordinator',
    'apps/shard',
    'apps/gateway',
    'apps/failure-detector',
    'tools/local-cluster',
  ],
  folders: ['apps', 'libs', 'tools/local-cluster'],
};

/** What is built for the `ringleader` command, `npm run import` and `npm run export`. */
export const CLI = {
  name: 'cli',
  programs: ['apps/cli'],
  folders: ['libs', 'apps/cli'],
};

/** What is built for `pnpm bench`: it starts clusters of its own. */
export const BENCHMARK = {
  name: 'benchmark',
  programs: [...CLUSTER.programs, 'tests/benchmark'],
  folders: [...CLUSTER.folders, 'tests/benchmark'],
};

/** What is built for `pnpm sim`. */
export const SIMULATION = {
  name: 'simulation',
  programs: ['tests/simulation'],
  folders: ['libs', 'tests/simulation'],
  entry: 'replay.js',
};

function isSource(name) {
  return (
    (name.endsWith('.ts') && !name.endsWith('spec.ts')) || name === 'tsconfig.json' || name === 'package.json'
  );
}

/**
 * Builds what changed. The compiler finds that out itself, in about a second; that nothing at all changed is found
 * out here, in a few milliseconds, from the times and sizes of the sources and the presence of the results.
 */
export async function ensureBuilt({ name, programs, folders, entry = 'main.js' }) {
  const sources = await packageFiles(isSource, folders);
  const results = programs.map((program) => join(root, program, 'dist', entry));
  const fingerprint = await statFingerprint([...sources, join(root, 'tsconfig.base.json')]);
  const stamp = new Stamp(`build-${name}`);
  if ((await stamp.matches(fingerprint)) && (await allExist(results))) return;
  const startedAt = performance.now();
  console.error('Building...');
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, output } = await capture(runtime(), [compiler, '-b', ...programs]);
  if (code !== 0) {
    const refusal = refusalOf({ message: output });
    const sentence =
      refusal === undefined
        ? 'The build failed; what the compiler said stands above.'
        : `The build failed: ${refusal}`;
    throw new Failure(sentence, output);
  }
  await stamp.write(fingerprint);
  console.error(`✓ built (${seconds(startedAt)})`);
}

async function allExist(files) {
  return statFingerprint(files).then(
    () => true,
    () => false,
  );
}
