import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './commands.mjs';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { requireNode, runtime } from './runtime.mjs';

const PARENT_POLL_MS = 500;

/** Everything that must be there before a program of this checkout can run. */
export async function prepare() {
  requireNode();
  await ensureInstalled();
  await ensureBuilt();
}

/**
 * Runs a built program and gives its exit code. Signals are the program's to answer and are passed on. (Ctrl-C reaches
 * it twice in this way, from the terminal and from here: it takes both for one.)
 */
export function run(script, args, { lifeline = false } = {}) {
  // A pipe that nothing is written to: its end tells the program that this process is gone, killed or not.
  const stdio = lifeline ? ['ignore', 'inherit', 'inherit', 'pipe'] : 'inherit';
  const extra = lifeline ? ['--lifeline-fd', '3'] : [];
  const child = spawn(runtime(), [join(root, script), ...args, ...extra], { stdio });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  if (lifeline) watchParent(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal !== null) console.error(`${script} was ended by ${signal}.`);
      resolve(code ?? 1);
    });
  });
}

/** npm may be killed alone: then nobody would wait for this process any more, and the cluster should end too. */
function watchParent(child) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    child.kill('SIGTERM');
  }, PARENT_POLL_MS);
  child.once('exit', () => clearInterval(timer));
}
