import type { LocalClusterState, LocalProcess } from '@ringleader/contracts';
import { processStart, replaceFile, sendSignal, until } from '@ringleader/server-processes';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const fileIn = (folder: string): string => join(folder, 'cluster.json');

export function writeClusterState(folder: string, state: LocalClusterState): void {
  // It names the databases' passwords, as its mode allows.
  replaceFile(fileIn(folder), `${JSON.stringify(state, null, 2)}\n`);
}

export async function readClusterState(folder: string): Promise<LocalClusterState> {
  return JSON.parse(await readFile(fileIn(folder), 'utf8')) as LocalClusterState;
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

async function lastProcesses(folder: string): Promise<readonly LocalProcess[]> {
  try {
    return (await readClusterState(folder)).processes;
  } catch (error) {
    // A half-written file is what a power cut leaves, after which no process runs either.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Those that still run. The id alone does not tell: it may by now be another program's. */
async function running(processes: readonly LocalProcess[]): Promise<(LocalProcess & { pid: number })[]> {
  const found = [];
  for (const process of processes) {
    const { pid, identity } = process;
    if (pid === null || identity === null) continue;
    if ((await processStart(pid)) === identity) found.push({ ...process, pid });
  }
  return found;
}
