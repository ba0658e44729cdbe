import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { capture, root, seconds } from './commands.mjs';
import { Failure, refusalOf } from './failure.mjs';

const PNPM = 'pnpm@10.34.9';

const LOCKFILE = join(root, 'pnpm-lock.yaml');
/** What was installed, beside it: gone with what it speaks of. */
const INSTALLED = join(root, 'node_modules', '.ringleader-lock.yaml');

async function isInstalled() {
  const installed = await readFile(INSTALLED).catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return installed !== undefined && installed.equals(await readFile(LOCKFILE));
}

function sentenceFor(output) {
  const refusal = refusalOf({ message: output });
  if (refusal !== undefined) return `The packages could not be installed in ${root}: ${refusal}`;
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET/.test(output)) {
    return 'The npm registry could not be reached: the packages could not be installed.';
  }
  return 'The packages could not be installed; what pnpm said stands above.';
}

/**
 * Installs exactly what the lockfile says, with a pnpm that need not be installed, unless it has been done already.
 * Progress goes to standard error: standard output may be an export.
 */
export async function ensureInstalled() {
  if (await isInstalled()) return;
  const startedAt = performance.now();
  console.error('Installing packages...');
  const args = ['exec', '--yes', `--package=${PNPM}`, '--', 'pnpm', 'install', '--frozen-lockfile'];
  const { code, output } = await capture('npm', args, { env: { ...process.env, CI: 'true' } }).catch(
    (error) => {
      throw new Failure(`npm is missing (${error.message}): install it beside Node.`);
    },
  );
  if (code !== 0) throw new Failure(sentenceFor(output), output);
  await copyFile(LOCKFILE, INSTALLED);
  console.error(`✓ packages installed (${seconds(startedAt)})`);
}
