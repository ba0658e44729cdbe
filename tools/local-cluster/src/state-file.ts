import { processStart, replaceFile, until } from '@ringleader/server-processes';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Service } from './services.js';

/** What runs at this moment, for programs: `<data>/cluster.json`, replaced whole at every change. */
export interface ClusterState {
  readonly formatVersion: 1;
  readonly status: 'starting' | 'healthy' | 'degraded' | 'stopping';
  /** The process that supervises all others. */
  readonly supervisorPid: number;
  readonly startedAt: string;
  /** Of every nats-server, with commas between. */
  readonly natsUrl: string;
  readonly gatewayUrls: readonly string[];
  readonly processes: readonly ProcessState[];
}

export interface ProcessState {
  readonly service: Service;
  readonly member: string;
  /** Null while the process does not run. */
  readonly pid: number | null;
  /** Tells this process from a later one with the same id. */
  readonly identity: string | null;
  /** Null for what listens on a Unix socket only. */
  readonly port: number | null;
  readonly url: string;
  readonly log: string;
  readonly restarts: number;
}

const FILE = 'cluster.json';

export function writeClusterState(folder: string, state: ClusterState): void {
  // It names the databases' passwords, as its mode allows.
  replaceFile(join(folder, FILE), `${JSON.stringify(state, null, 2)}\n`);
}

export async function readClusterState(folder: string): Promise<ClusterState> {
  return JSON.parse(await readFile(join(folder, FILE), 'utf8')) as ClusterState;
}

/** Services and servers stop cleanly within this time, unless they are stopped by SIGSTOP or hang. */
const GRACE_MS = 8_000;
const GONE_MS = 10_000;

/** A process of a cluster whose starter was killed, which could not end by itself: it was stopped, or hangs. */
type Leftover = ProcessState & { readonly pid: number };

/** For the caller who has locked the folder. Gives the names of those it ended. */
export async function endLeftovers(folder: string, graceMs = GRACE_MS): Promise<string[]> {
  const leftovers = await running((await lastState(folder))?.processes ?? []);
  if (leftovers.length === 0) return [];
  for (const { pid, service } of leftovers) {
    // PostgreSQL would wait for its clients at SIGTERM.
    send(pid, service === 'postgres' ? 'SIGINT' : 'SIGTERM');
  }
  const allGone = async (): Promise<boolean> => (await running(leftovers)).length === 0;
  await until('leftover processes end', allGone, { timeoutMs: graceMs }).catch(async () => {
    for (const { pid } of await running(leftovers)) send(pid, 'SIGKILL');
    await until('leftover processes end after SIGKILL', allGone, { timeoutMs: GONE_MS });
  });
  return leftovers.map(({ member }) => member);
}

async function lastState(folder: string): Promise<ClusterState | undefined> {
  try {
    return await readClusterState(folder);
  } catch (error) {
    // A half-written file is what a power cut leaves, after which no process runs either.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Those that still run. The id alone does not tell: it may by now be another program's. */
async function running(processes: readonly ProcessState[]): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const process of processes) {
    if (process.pid === null || process.identity === null) continue;
    if ((await processStart(process.pid)) === process.identity) found.push({ ...process, pid: process.pid });
  }
  return found;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended by itself between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
