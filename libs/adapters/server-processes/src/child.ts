import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Guardian } from './guardian.js';
import { ServerProcessError } from './server-process-error.js';

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Standard output and standard error are appended here, by the child itself. */
  readonly logFile: string;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process with a log file, in a session of its own: Ctrl-C reaches only the process that started it. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Set as soon as the process has ended. */
  exit(): ChildExit | undefined;
  signal(signal: NodeJS.Signals): void;
  /** Asks with `signal`, insists with SIGKILL after `graceMs`. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<ChildExit>;
}

export async function startChild(spec: ChildSpec, guardian: Guardian | undefined): Promise<Child> {
  const log = openSync(spec.logFile, 'a', 0o600);
  const process = spawn(spec.command, spec.args, {
    env: spec.env,
    cwd: spec.cwd,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let ended: ChildExit | undefined;
  const exited = new Promise<ChildExit>((resolve) => {
    process.once('exit', (code, signal) => {
      ended = { code, signal };
      if (process.pid !== undefined) guardian?.forget(process.pid);
      resolve(ended);
    });
  });
  try {
    await once(process, 'spawn');
  } catch (error) {
    throw new ServerProcessError(`${spec.name} could not be started: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const pid = process.pid;
  if (pid === undefined) throw new ServerProcessError(`${spec.name} could not be started.`);
  guardian?.watch(pid);
  return {
    name: spec.name,
    pid,
    logFile: spec.logFile,
    exited,
    exit: () => ended,
    signal: (signal) => {
      if (ended === undefined) process.kill(signal);
    },
    stop: async (signal, graceMs) => {
      if (ended !== undefined) return ended;
      process.kill(signal);
      const insist = setTimeout(() => process.kill('SIGKILL'), graceMs);
      const exit = await exited;
      clearTimeout(insist);
      return exit;
    },
  };
}

export function describeExit(exit: ChildExit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`;
}

/** The end of a log: what a person needs to see first after a crash. */
export async function lastLines(logFile: string, count: number): Promise<string[]> {
  const text = await readFile(logFile, 'utf8').catch(
    (error: unknown) => `(no log: ${(error as Error).message})`,
  );
  return text.trimEnd().split('\n').slice(-count);
}
