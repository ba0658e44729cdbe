/**
 * CPU time and memory of processes with all their descendants, from Linux's /proc. PostgreSQL is many processes, so a
 * figure for "a shard's database" is of a tree.
 */
import { readFileSync, readdirSync } from 'node:fs';

export interface ProcessUsage {
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;
const PAGE_BYTES = 4_096;

interface Stat {
  readonly parent: number;
  readonly usage: ProcessUsage;
}

/** Usage of each tree whose root is named, in the order of `roots`. Processes that are gone count nothing. */
export function usageOfTrees(roots: readonly number[]): ProcessUsage[] {
  const stats = readAll();
  const rootOf = new Map<number, number>();
  for (const pid of stats.keys()) {
    const root = findRoot(pid, stats, new Set(roots));
    if (root !== null) rootOf.set(pid, root);
  }
  return roots.map((root) => {
    let cpuMs = 0;
    let residentBytes = 0;
    for (const [pid, { usage }] of stats) {
      if (rootOf.get(pid) !== root) continue;
      cpuMs += usage.cpuMs;
      residentBytes += usage.residentBytes;
    }
    return { cpuMs, residentBytes };
  });
}

function findRoot(pid: number, stats: ReadonlyMap<number, Stat>, roots: ReadonlySet<number>): number | null {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = stats.get(at)?.parent) {
    if (roots.has(at)) return at;
  }
  return null;
}

function readAll(): Map<number, Stat> {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat !== null) stats.set(Number(name), stat);
  }
  return stats;
}

/** See proc(5): the command may hold spaces and parentheses, so fields are counted from the last one. */
function readStat(pid: number): Stat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    // It ended between the listing and now.
    if (
      (error as NodeJS.ErrnoException).code === 'ENOENT' ||
      (error as NodeJS.ErrnoException).code === 'ESRCH'
    )
      return null;
    throw error;
  }
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [parent = 0, userTicks = 0, systemTicks = 0, pages = 0] = [
    fields[1],
    fields[11],
    fields[12],
    fields[21],
  ];
  return {
    parent,
    usage: { cpuMs: (userTicks + systemTicks) * MS_PER_TICK, residentBytes: pages * PAGE_BYTES },
  };
}
