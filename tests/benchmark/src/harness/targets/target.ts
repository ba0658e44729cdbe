/** A cluster that is measured, with the processes that it consists of. */
import { readFileSync } from 'node:fs';
import { processStat, processStats } from '@ringleader/server-processes';
import { usageOfTrees } from '../../process-cpu.js';
import type { Load, Protocol } from '../load.js';
import type { Settings } from '../settings.js';

export interface TargetProcess {
  /** `gateway`, `shard`, `postgres`, `etcd`, `java`, ... */
  readonly kind: string;
  readonly pid: number;
}

/** One that runs. */
export interface RunningTarget {
  readonly kind: Protocol;
  readonly endpoints: readonly string[];
  processes(): Promise<readonly TargetProcess[]>;
  /** What its keys are watched by, where the load's protocol knows no watches. */
  readonly watches?: Load;
  /** Frees the disk of what earlier writes left, between rounds. */
  tidy(): Promise<void>;
  stop(): Promise<void>;
}

/** One that can be started, as often as it has to be. */
export interface Target {
  readonly name: string;
  readonly version: string;
  /** For the report: how it runs and by what it is asked. */
  readonly description: string;
  start(): Promise<RunningTarget>;
}

/** Bytes beyond which no batch is sent: what etcd (1.5 MiB) and ZooKeeper (1 MiB) take in a request by default. */
const REQUEST_BYTES_MAX = 1_000_000;

export const fitsInARequest = ({ batchSize }: Settings, valueBytes: number): boolean =>
  batchSize * (valueBytes + 100) <= REQUEST_BYTES_MAX;

/** Those that run no more, by which no figure of CPU time or memory is one of the whole any more. */
export function endedOf(processes: readonly TargetProcess[]): TargetProcess[] {
  return processes.filter(({ pid }) => processStat(pid) === undefined);
}

export type ByKind = Readonly<Record<string, number>>;

function sumByKind(processes: readonly TargetProcess[], values: readonly number[]): ByKind {
  const sums: Record<string, number> = {};
  processes.forEach(({ kind }, i) => (sums[kind] = (sums[kind] ?? 0) + (values[i] ?? 0)));
  return sums;
}

/** CPU time so far, each process with its descendants: PostgreSQL is many. */
export function cpuMsByKind(processes: readonly TargetProcess[]): ByKind {
  const usage = usageOfTrees(processes.map(({ pid }) => pid));
  return sumByKind(
    processes,
    usage.map(({ cpuMs }) => cpuMs),
  );
}

/** Memory, pages that several processes share counted once in all: PostgreSQL's processes share most of theirs. */
export function memoryBytesByKind(processes: readonly TargetProcess[]): ByKind {
  const parents = new Map([...processStats()].map(([pid, { parent }]) => [pid, parent]));
  const roots = new Map(processes.map(({ kind, pid }) => [pid, kind]));
  const sums: Record<string, number> = {};
  for (const pid of parents.keys()) {
    let at: number | undefined = pid;
    while (at !== undefined && at > 1 && !roots.has(at)) at = parents.get(at);
    const kind = at === undefined ? undefined : roots.get(at);
    if (kind !== undefined) sums[kind] = (sums[kind] ?? 0) + proportionalBytes(pid);
  }
  return sums;
}

function proportionalBytes(pid: number): number {
  try {
    const [, kib = '0'] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')) ?? [];
    return Number(kib) * 1_024;
  } catch (error) {
    // It has ended meanwhile.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0;
    throw error;
  }
}

export function minus(after: ByKind, before: ByKind): ByKind {
  return Object.fromEntries(
    Object.entries(after).map(([kind, value]) => [kind, value - (before[kind] ?? 0)]),
  );
}

export const total = (values: ByKind): number => Object.values(values).reduce((sum, value) => sum + value, 0);
