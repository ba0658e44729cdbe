import { join } from 'node:path';
import { capture, root, seconds } from './commands.mjs';
import { Failure, refusalOf } from './failure.mjs';
import { contentFingerprint, packageFiles, Stamp } from './fingerprint.mjs';

const PNPM = 'pnpm@10.34.9';

async function inputs() {
  const own = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'].map((name) => join(root, name));
  return [...own, ...(await packageFiles((name) => name === 'package.json'))];
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
  const fingerprint = await contentFingerprint(await inputs());
  const stamp = new Stamp('install');
  if (await stamp.matches(fingerprint)) return;
  const startedAt = performance.now();
  console.error('Installing packages...');
  const args = ['exec', '--yes', `--package=${PNPM}`, '--', 'pnpm', 'install', '--frozen-lockfile'];
  const { code, output } = await capture('npm', args, { env: { ...process.env, CI: 'true' } }).catch(
    (error) => {
      throw new Failure(`npm is missing (${error.message}): install it beside Node.`);
    },
  );
  if (code !== 0) throw new Failure(sentenceFor(output), output);
  await stamp.write(fingerprint);
  console.error(`✓ packages installed (${seconds(startedAt)})`);
}
