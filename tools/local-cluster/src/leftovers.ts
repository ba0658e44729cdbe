import { processStart, until } from '@ringleader/server-processes';
import { readClusterState, type ClusterState, type ProcessState } from './state-file.js';

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
