import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, refusalOf } from './failure.mjs';

/** The checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const PNPM = 'pnpm@10.34.9';
const LOCKFILE = join(root, 'pnpm-lock.yaml');
/** What was installed, beside it: gone with what it speaks of. */
const INSTALLED = join(root, 'node_modules', '.ringleader-lock.yaml');

const [major, minor] = process.versions.node.split('.').map(Number);
const REQUIRED = [20, 19];
/** From here on the host's own Node runs the services; below, the one that npm brought (package.json, optionalDependencies). */
const GOOD_ENOUGH = 24;

/** The packages that make a local cluster. What a package uses is built with it. */
export const CLUSTER = [
  ...['coordinator', 'shard', 'gateway', 'failure-detector'].map((app) => `apps/${app}`),
  'tools/local-cluster',
];
/** Shorter than this, nothing is said of a build: that nothing changed is found out in a third of a second. */
const SILENT_MS = 1_500;

export function seconds(sinceMs) {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}

/** Everything that must be there before a program of this checkout can run; nothing is built without `packages`. */
export async function prepare(packages = []) {
  if (major < REQUIRED[0] || (major === REQUIRED[0] && minor < REQUIRED[1])) {
    const needed = `Node ${REQUIRED.join('.')} or newer is needed`;
    throw new Failure(`${needed}, and this is ${process.versions.node}: install a newer one.`);
  }
  await ensureInstalled();
  if (packages.length > 0) await ensureBuilt(packages);
}

/** The Node that runs everything but this bootstrap. */
export function runtime() {
  if (major >= GOOD_ENOUGH) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  // The packages of some platforms are published under another name.
  const packages = [`node-${platform}`, `node-bin-${platform}`];
  const pinned = packages
    .map((name) => join(root, 'node_modules', name, 'bin', 'node'))
    .find((path) => existsSync(path));
  if (pinned !== undefined) return pinned;
  const reason = `There is no packaged Node for ${platform}, and ${process.versions.node} is too old to run the services`;
  throw new Failure(`${reason}: install Node ${GOOD_ENOUGH} or newer.`);
}

/** Runs a program and gives all it wrote. Rejects only when there is no such program. */
function capture(command, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const options = { cwd: root, env, maxBuffer: Infinity };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (typeof error?.code === 'string') reject(error);
      else resolve({ succeeded: error === null, output: stdout + stderr });
    });
    child.stdin.end();
  });
}

async function isInstalled() {
  const installed = await readFile(INSTALLED).catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return installed !== undefined && installed.equals(await readFile(LOCKFILE));
}

function whyNotInstalled(output) {
  const refusal = refusalOf({ message: output });
  if (refusal !== undefined) return `The packages could not be installed in ${root}: ${refusal}`;
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET/.test(output))
    return 'The npm registry could not be reached: the packages could not be installed.';
  return 'The packages could not be installed; what pnpm said stands above.';
}

/**
 * Installs exactly what the lockfile says, with a pnpm that need not be installed, unless it has been done already.
 * Progress goes to standard error: standard output may be an export.
 */
async function ensureInstalled() {
  if (await isInstalled()) return;
  const startedAt = performance.now();
  console.error('Installing packages...');
  const args = ['exec', '--yes', `--package=${PNPM}`, '--', 'pnpm', 'install', '--frozen-lockfile'];
  const installing = capture('npm', args, { ...process.env, CI: 'true' });
  const { succeeded, output } = await installing.catch((error) => {
    throw new Failure(`npm is missing (${error.message}): install it beside Node.`);
  });
  if (!succeeded) throw new Failure(whyNotInstalled(output), output);
  await copyFile(LOCKFILE, INSTALLED);
  console.error(`✓ packages installed (${seconds(startedAt)})`);
}

/** Builds what changed in these packages, as the compiler finds out itself. */
async function ensureBuilt(packages) {
  const startedAt = performance.now();
  const notice = setTimeout(() => console.error('Building...'), SILENT_MS);
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { succeeded, output } = await capture(runtime(), [compiler, '-b', ...packages]);
  clearTimeout(notice);
  if (!succeeded) {
    const refusal = refusalOf({ message: output });
    const reason = refusal === undefined ? '; what the compiler said stands above.' : `: ${refusal}`;
    throw new Failure(`The build failed${reason}`, output);
  }
  if (performance.now() - startedAt > SILENT_MS) console.error(`✓ built (${seconds(startedAt)})`);
}
