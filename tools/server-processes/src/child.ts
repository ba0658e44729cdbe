import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { processStart } from './process-table.js';
import { until } from './until.js';

/** Something outside this program is missing or refuses: the message is one sentence a person can act on. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export function describeExit({ code, signal }: ChildExit): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

export interface ChildSpec {
  readonly name: string;
  /** Put before the command line, to run it as somebody else. */
  readonly prefix?: readonly string[];
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Standard output and standard error are appended here, by the child itself. */
  readonly logFile: string;
  /**
   * How the child learns that this process is gone, however that ended. A signal, by which it is stopped too: the kernel sends
   * it. `lifeline`: a pipe ends, which RINGLEADER_LIFELINE_FD names, for programs that watch it and then end by themselves.
   */
  readonly orphaned: NodeJS.Signals | 'lifeline';
  /** How long it may take to stop. */
  readonly graceMs?: number;
}

const LIFELINE_FD = 3;
const GRACE_MS = 10_000;
const READY_TIMEOUT_MS = 60_000;

/** A child process with a log file, in a session of its own: Ctrl-C reaches only the process that started it. */
export interface Child {
  readonly pid: number;
  /** Tells it from a later process with the same id (see processStart); undefined if it ended at once. */
  readonly identity: string | undefined;
  readonly logFile: string;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Set as soon as the process has ended. */
  exit(): ChildExit | undefined;
  signal(signal: NodeJS.Signals): void;
  /** Asks with the signal that its specification names, insists with SIGKILL. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<ChildExit>;
}

let kernelTellsChildren: boolean | undefined;

/** Linux's parent-death signal, by util-linux. Elsewhere the next start on the same data ends what was left. */
export function commandLine({
  prefix = [],
  command,
  args,
  orphaned,
}: Pick<ChildSpec, 'prefix' | 'command' | 'args' | 'orphaned'>): string[] {
  const signalled = ['setpriv', '--pdeathsig', orphaned.replace(/^SIG/, '')];
  kernelTellsChildren ??= spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0;
  // Innermost: who becomes somebody else loses the signal.
  const middle = orphaned !== 'lifeline' && kernelTellsChildren ? signalled : [];
  return [...prefix, ...middle, command, ...args];
}

export async function startChild(spec: ChildSpec): Promise<Child> {
  const { name, env = {}, cwd, logFile, orphaned, graceMs: usualMs = GRACE_MS } = spec;
  const hasLifeline = orphaned === 'lifeline';
  const usual = hasLifeline ? 'SIGTERM' : orphaned;
  const [command = '', ...args] = commandLine(spec);
  const log = openSync(logFile, 'a', 0o600);
  const process = spawn(command, args, {
    env: hasLifeline ? { ...env, RINGLEADER_LIFELINE_FD: String(LIFELINE_FD) } : env,
    cwd,
    detached: true,
    stdio: ['ignore', log, log, ...(hasLifeline ? (['pipe'] as const) : [])],
  });
  closeSync(log);
  // Nothing is ever written to it; that the child is gone is learnt from its exit.
  process.stdio[LIFELINE_FD]?.on('error', () => undefined);
  let ended: ChildExit | undefined;
  const exited = new Promise<ChildExit>((resolve) => {
    process.once('exit', (code, signal) => resolve((ended = { code, signal })));
  });
  await once(process, 'spawn').catch((cause: unknown) => {
    throw new StartError(`${name} could not be started: ${(cause as Error).message}`, { cause });
  });
  const { pid = 0 } = process;
  return {
    pid,
    identity: await processStart(pid),
    logFile,
    exited,
    exit: () => ended,
    signal: (signal) => void process.kill(signal),
    stop: (signal = usual, graceMs = usualMs) => {
      process.kill(signal);
      const insist = setTimeout(() => process.kill('SIGKILL'), graceMs);
      return exited.finally(() => clearTimeout(insist));
    },
  };
}

/** The end of a log: what a person needs to see first after a crash. */
export async function lastLines(logFile: string, count: number): Promise<string[]> {
  const text = await readFile(logFile, 'utf8').catch((error: unknown) => (error as Error).message);
  return text.trimEnd().split('\n').slice(-count);
}

/** How to run one server, as often as needed, at the same address and on the same data. */
export interface LocalServer {
  readonly name: string;
  /** Undefined for a server that listens on a Unix socket only. */
  readonly port?: number;
  readonly url: string;
  readonly logFile: string;
  /** Starts a process and waits until it serves. */
  launch(): Promise<Child>;
}

/** Starts a server and waits until it serves; one that does not is ended. */
export async function startServer(spec: ChildSpec, ready: (pid: number) => Promise<boolean>): Promise<Child> {
  const child = await startChild(spec);
  const failure = (): string | undefined => {
    const exit = child.exit();
    return exit && `it ended with ${describeExit(exit)}`;
  };
  const limits = { timeoutMs: READY_TIMEOUT_MS, failure };
  await until(`${spec.name} did not become ready`, () => ready(child.pid), limits).catch(async (cause) => {
    await child.stop('SIGKILL');
    const lines = (await lastLines(spec.logFile, 5)).join(' | ');
    throw new StartError(`${(cause as Error).message}; its log ends with: ${lines}`, { cause });
  });
  return child;
}
