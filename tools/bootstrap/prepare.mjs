import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Failure, refusalOf } from './failure.mjs';

/** The checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

export const PNPM = 'pnpm@10.34.9';
const LOCKFILE = join(root, 'pnpm-lock.yaml');
/** What was installed, beside it: gone with what it speaks of. */
const INSTALLED = join(root, 'node_modules', '.ringleader-lock.yaml');

const [major, minor] = process.versions.node.split('.').map(Number);
const isAtLeast = ([wantedMajor, wantedMinor]) =>
  major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
const REQUIRED = [20, 19];
/**
 * From here on the host's own Node runs what is built (tls.setDefaultCACertificates); below, the one that npm brought
 * (package.json, optionalDependencies).
 */
const GOOD_ENOUGH = [24, 5];

/** The packages that make a local cluster. What a package uses is built with it. */
export const CLUSTER = [
  ...['coordinator', 'shard', 'gateway', 'failure-detector'].map((app) => `apps/${app}`),
  'tools/local-cluster',
];
/** Shorter than this, nothing is said of a build: that nothing changed is found out in a third of a second. */
const SILENT_MS = 1_500;

export const seconds = (sinceMs) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

/** Everything that must be there before a program of this checkout can run; nothing is built without `packages`. */
export async function prepare(packages = []) {
  if (!isAtLeast(REQUIRED)) {
    const needed = `Node ${REQUIRED.join('.')} or newer is needed`;
    throw new Failure(`${needed}, and this is ${process.versions.node}: install a newer one.`);
  }
  const isInstalled = existsSync(INSTALLED) && readFileSync(INSTALLED).equals(readFileSync(LOCKFILE));
  if (!isInstalled) await install();
  if (packages.length > 0) await build(packages);
}

/** The Node that runs everything but this bootstrap. */
export function runtime() {
  if (isAtLeast(GOOD_ENOUGH)) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  // The packages of some platforms are published under another name.
  const paths = ['node', 'node-bin'].map((name) =>
    join(root, 'node_modules', `${name}-${platform}`, 'bin', 'node'),
  );
  const pinned = paths.find((path) => existsSync(path));
  if (pinned !== undefined) return pinned;
  const reason = `There is no packaged Node for ${platform}, and ${process.versions.node} is too old to run the services`;
  throw new Failure(`${reason}: install Node ${GOOD_ENOUGH.join('.')} or newer.`);
}

/** Runs a tool that says nothing unless it fails; `explain` makes a sentence of what it said then. */
export async function runTool(command, args, explain, cwd = root) {
  const options = { cwd, env: { ...process.env, CI: 'true' }, maxBuffer: Infinity };
  const running = promisify(execFile)(command, args, options);
  running.child.stdin.end();
  await running.catch((error) => {
    if (typeof error.code === 'string')
      throw new Failure(`${command} is missing (${error.message}): install it beside Node.`);
    const output = error.stdout + error.stderr;
    throw new Failure(explain(output, refusalOf({ message: output })), output);
  });
}

/** Runs a tool with its output on the terminal. */
export async function runShown(command, args, input = '') {
  const child = spawn(command, args, { cwd: root, stdio: ['pipe', 'inherit', 'inherit'] });
  child.stdin.on('error', () => undefined).end(input);
  const [code] = await once(child, 'exit').catch((error) => {
    throw new Failure(`${command} is missing (${error.message}): install it.`);
  });
  if (code !== 0) throw new Failure(`${command} ${args[0]} failed; what it said stands above.`);
}

function whyNotInstalled(output, refusal) {
  if (refusal !== undefined) return `The packages could not be installed in ${root}: ${refusal}`;
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET/.test(output))
    return 'The npm registry could not be reached: the packages could not be installed.';
  return 'The packages could not be installed; what pnpm said stands above.';
}

/**
 * Installs exactly what the lockfile says, with a pnpm that need not be installed. Progress goes to standard error:
 * standard output may be an export.
 */
async function install() {
  const startedAt = performance.now();
  console.error('Installing packages...');
  const args = ['exec', '--yes', `--package=${PNPM}`, '--', 'pnpm', 'install', '--frozen-lockfile'];
  await runTool('npm', args, whyNotInstalled);
  await copyFile(LOCKFILE, INSTALLED);
  console.error(`✓ packages installed (${seconds(startedAt)})`);
}

/** Builds what changed in these packages, as the compiler finds out itself. */
async function build(packages) {
  const startedAt = performance.now();
  const notice = setTimeout(() => console.error('Building...'), SILENT_MS);
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await runTool(runtime(), [compiler, '-b', ...packages], (_output, refusal) => {
    const reason = refusal === undefined ? '; what the compiler said stands above.' : `: ${refusal}`;
    return `The build failed${reason}`;
  }).finally(() => clearTimeout(notice));
  if (performance.now() - startedAt > SILENT_MS) console.error(`✓ built (${seconds(startedAt)})`);
}
