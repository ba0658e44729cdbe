import { processStart, replaceFile, sendSignal, until } from '@ringleader/server-processes';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlace } from './control.js';
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
  /** What a caller of a secure cluster needs; null: it is an open one. */
  readonly access: { readonly caFile: string; readonly tokenFile: string } | null;
  /** Where `ringleader local` asks; null while nobody answers there. */
  readonly control: ControlPlace | null;
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
  /** What was done to it by `ringleader local`, until it is restarted; null: it is to run. */
  readonly held: 'stopped' | 'killed' | 'paused' | 'cut' | null;
}

const fileIn = (folder: string): string => join(folder, 'cluster.json');

export function writeClusterState(folder: string, state: ClusterState): void {
  // It names the databases' passwords, as its mode allows.
  replaceFile(fileIn(folder), `${JSON.stringify(state, null, 2)}\n`);
}

export async function readClusterState(folder: string): Promise<ClusterState> {
  return JSON.parse(await readFile(fileIn(folder), 'utf8')) as ClusterState;
}

/** Services and servers stop cleanly within this time, unless they are stopped by SIGSTOP or hang. */
const GRACE_MS = 8_000;
const GONE_MS = 10_000;

/**
 * Ends what a killed starter left running and what could not end by itself: it was stopped, or hangs. For the caller who has
 * locked the folder. Gives the names of those it ended.
 */
export async function endLeftovers(folder: string, graceMs = GRACE_MS): Promise<string[]> {
  const leftovers = await running(await lastProcesses(folder));
  const allGone = async (): Promise<boolean> => (await running(leftovers)).length === 0;
  // PostgreSQL would wait for its clients at SIGTERM.
  for (const { pid, service } of leftovers) sendSignal(pid, service === 'postgres' ? 'SIGINT' : 'SIGTERM');
  await until('leftover processes end', allGone, { timeoutMs: graceMs }).catch(async () => {
    for (const { pid } of await running(leftovers)) sendSignal(pid, 'SIGKILL');
    await until('leftover processes end after SIGKILL', allGone, { timeoutMs: GONE_MS });
  });
  return leftovers.map(({ member }) => member);
}

async function lastProcesses(folder: string): Promise<readonly ProcessState[]> {
  try {
    return (await readClusterState(folder)).processes;
  } catch (error) {
    // A half-written file is what a power cut leaves, after which no process runs either.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Those that still run. The id alone does not tell: it may by now be another program's. */
async function running(processes: readonly ProcessState[]): Promise<(ProcessState & { pid: number })[]> {
  const found = [];
  for (const process of processes) {
    const { pid, identity } = process;
    if (pid === null || identity === null) continue;
    if ((await processStart(pid)) === identity) found.push({ ...process, pid });
  }
  return found;
}
