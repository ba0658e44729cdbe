import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** npm runs a script through a shell, and a program through another if it is a shim: neither is who asked for it. */
const SHELLS = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'busybox']);
const POLL_MS = 500;

/** The program a process was started with, by its first argument: for a script, that is the shell which reads it. */
function programName(commandLine) {
  return commandLine.split('/').at(-1);
}

/** Parent, state and program of a process; undefined when there is none. */
function look(pid) {
  try {
    if (process.platform !== 'linux') {
      const line = execFileSync('ps', ['-o', 'ppid=,stat=,args=', '-p', String(pid)], { encoding: 'utf8' });
      const [parent, state, first] = line.trim().split(/\s+/);
      return { parent: Number(parent), state: state[0], program: programName(first) };
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [first] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return { parent: Number(parent), state, program: programName(first) };
  } catch {
    // It ended between being named and being looked at, which is the answer.
    return undefined;
  }
}

/** Who started this process, shells apart. */
function owner() {
  let pid = process.ppid;
  for (let seen = look(pid); seen !== undefined && SHELLS.has(seen.program); seen = look(pid))
    pid = seen.parent;
  return pid;
}

function isGone(pid) {
  const seen = look(pid);
  return seen === undefined || seen.state === 'Z';
}

/**
 * Calls `action` when npm has ended without ending this process: it was killed, and nobody waits for the script any
 * more. Only under `npm start` (or a program that says it wants this): who puts the starter itself into the
 * background of a script means it to go on when the script ends. Gives a function that stops watching.
 */
export function whenOwnerIsGone(action) {
  const { npm_lifecycle_event: script, RINGLEADER_STOP_WITH_PARENT: wanted } = process.env;
  if (script !== 'start' && wanted !== '1') return () => undefined;
  const pid = owner();
  if (pid <= 1) return () => undefined;
  const timer = setInterval(() => {
    if (!isGone(pid)) return;
    clearInterval(timer);
    action();
  }, POLL_MS);
  return () => clearInterval(timer);
}
