import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ChildExit } from './child-exit.js';
import type { Guardian } from './guardian.js';
import { processStart } from './process-identity.js';
import { ServerProcessError } from './server-process-error.js';

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Standard output and standard error are appended here, by the child itself. */
  readonly logFile: string;
  /**
   * Gives the child a pipe that ends with this process, however that ends, and names it in RINGLEADER_LIFELINE_FD:
   * for programs that watch it and then end by themselves.
   */
  readonly lifeline?: boolean;
}

const LIFELINE_FD = 3;

/** A child process with a log file, in a session of its own: Ctrl-C reaches only the process that started it. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Tells it from a later process with the same id (see processStart); undefined if it ended at once. */
  readonly identity: string | undefined;
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
  const { lifeline = false } = spec;
  const process = spawn(spec.command, spec.args, {
    env: { ...spec.env, ...(lifeline ? { RINGLEADER_LIFELINE_FD: String(LIFELINE_FD) } : {}) },
    cwd: spec.cwd,
    detached: true,
    stdio: ['ignore', log, log, ...(lifeline ? (['pipe'] as const) : [])],
  });
  closeSync(log);
  // Nothing is ever written to it; that the child is gone is learnt from its exit.
  process.stdio[LIFELINE_FD]?.on('error', () => undefined);
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
    identity: await processStart(pid),
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

/** The end of a log: what a person needs to see first after a crash. */
export async function lastLines(logFile: string, count: number): Promise<string[]> {
  const text = await readFile(logFile, 'utf8').catch(
    (error: unknown) => `(no log: ${(error as Error).message})`,
  );
  return text.trimEnd().split('\n').slice(-count);
}
