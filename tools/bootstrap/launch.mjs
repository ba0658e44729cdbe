import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root, runtime } from './prepare.mjs';

const OWNER_POLL_MS = 500;
/** Who started this process; asked at once, because it may end while packages are installed or built. */
const owner = process.ppid;

/** npm changes to the clone's folder; names of files are meant from where the user stands, who called one of `scripts`. */
export function whereTheUserStands(scripts) {
  const { npm_lifecycle_event: script, INIT_CWD: folder } = process.env;
  return scripts.includes(script) && folder !== undefined ? folder : process.cwd();
}

/**
 * Nobody waits for the script any more once npm was killed. (npm's shell replaces itself by the script: see `exec` in
 * package.json.) Only under `npm start`: who puts the starter itself into the background of a script means it to go on when
 * the script ends.
 */
function stopWithOwner(child) {
  const watch = setInterval(() => {
    if (process.ppid === owner) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, OWNER_POLL_MS).unref();
}

/**
 * Runs a built program and gives its exit code. Signals are the program's to answer and are passed on. (Ctrl-C reaches
 * it twice in this way, from the terminal and from here: it takes both for one.)
 */
export function run(script, args, { lifeline = false, cwd, flags = [], env: more = {} } = {}) {
  // A pipe that nothing is written to: its end tells the program that this process is gone, killed or not.
  const stdio = lifeline ? ['ignore', 'inherit', 'inherit', 'pipe'] : 'inherit';
  const env = { ...process.env, ...more, ...(lifeline && { RINGLEADER_LIFELINE_FD: '3' }) };
  const child = spawn(runtime(), [...flags, join(root, script), ...args], { stdio, env, cwd });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  if (lifeline && process.env.npm_lifecycle_event === 'start') stopWithOwner(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal !== null) console.error(`${script} was ended by ${signal}.`);
      resolve(code ?? 1);
    });
  });
}
