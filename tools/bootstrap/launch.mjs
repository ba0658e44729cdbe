import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './commands.mjs';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled } from './install.mjs';
import { requireNode, runtime } from './runtime.mjs';

/** Everything that must be there before a program of this checkout can run. */
export async function prepare(packages) {
  requireNode();
  await ensureInstalled();
  await ensureBuilt(packages);
}

const OWNER_POLL_MS = 500;

/**
 * Calls `action` when the process that started this one has ended without ending it: npm was killed, and nobody waits for the
 * script any more. (npm's shell replaces itself by the script: see `exec` in package.json.) Only under `npm start`, or for a
 * program that says it wants this: who puts the starter itself into the background of a script means it to go on when
 * the script ends. Gives a function that stops watching.
 */
function whenOwnerIsGone(action) {
  const { npm_lifecycle_event: script, RINGLEADER_STOP_WITH_PARENT: wanted } = process.env;
  if (script !== 'start' && wanted !== '1') return () => undefined;
  const owner = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === owner) return;
    clearInterval(timer);
    action();
  }, OWNER_POLL_MS);
  return () => clearInterval(timer);
}

/**
 * Runs a built program and gives its exit code. Signals are the program's to answer and are passed on. (Ctrl-C reaches
 * it twice in this way, from the terminal and from here: it takes both for one.)
 */
export function run(script, args, { lifeline = false, cwd } = {}) {
  // A pipe that nothing is written to: its end tells the program that this process is gone, killed or not.
  const stdio = lifeline ? ['ignore', 'inherit', 'inherit', 'pipe'] : 'inherit';
  const env = lifeline ? { ...process.env, RINGLEADER_LIFELINE_FD: '3' } : process.env;
  const child = spawn(runtime(), [join(root, script), ...args], { stdio, env, cwd });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const stopWatching = lifeline ? whenOwnerIsGone(() => child.kill('SIGTERM')) : () => undefined;
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      stopWatching();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      stopWatching();
      if (signal !== null) console.error(`${script} was ended by ${signal}.`);
      resolve(code ?? 1);
    });
  });
}
