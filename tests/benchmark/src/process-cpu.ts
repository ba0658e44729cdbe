/**
 * CPU time and memory of processes with all their descendants, from Linux's /proc. PostgreSQL is many processes, so a
 * figure for "a shard's database" is of a tree; those that vacuum come and go, and what they took stays with their parent.
 */
import { processStats, type ProcessStat } from '@ringleader/server-processes';

export interface ProcessUsage {
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;
const PAGE_BYTES = 4_096;

/** Usage of each tree whose root is named, in the order of `roots`. Processes that are gone count nothing. */
export function usageOfTrees(roots: readonly number[]): ProcessUsage[] {
  const stats = processStats();
  const rootOf = new Map<number, number>();
  for (const pid of stats.keys()) {
    const root = findRoot(pid, stats, new Set(roots));
    if (root !== null) rootOf.set(pid, root);
  }
  return roots.map((root) => {
    let cpuMs = 0;
    let residentBytes = 0;
    for (const [pid, { userTicks, systemTicks, endedTicks, residentPages }] of stats) {
      if (rootOf.get(pid) !== root) continue;
      cpuMs += (userTicks + systemTicks + endedTicks) * MS_PER_TICK;
      residentBytes += residentPages * PAGE_BYTES;
    }
    return { cpuMs, residentBytes };
  });
}

function findRoot(
  pid: number,
  stats: ReadonlyMap<number, ProcessStat>,
  roots: ReadonlySet<number>,
): number | null {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = stats.get(at)?.parent) {
    if (roots.has(at)) return at;
  }
  return null;
}
