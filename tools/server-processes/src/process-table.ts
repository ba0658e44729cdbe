import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** What /proc says of a process; see proc(5). */
export interface ProcessStat {
  readonly parent: number;
  readonly userTicks: number;
  readonly systemTicks: number;
  /** Of children that have ended, and of theirs: both kinds together. */
  readonly endedTicks: number;
  readonly startTicks: number;
  readonly residentPages: number;
}

const isGone = (error: unknown): boolean =>
  ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');

/** Undefined when there is no such process, or when it has ended and nobody has asked yet with what (a zombie). */
export function processStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  // The second field is the program's name in parentheses and may hold anything; the fields after it may not.
  const [state = '', ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  const field = (number: number): number => Number(fields[number - 4]);
  const [userTicks, systemTicks, startTicks] = [field(14), field(15), field(22)];
  const endedTicks = field(16) + field(17);
  return { parent: field(4), userTicks, systemTicks, endedTicks, startTicks, residentPages: field(24) };
}

/** Of all processes, by their ids. */
export function processStats(): Map<number, ProcessStat> {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const stats = ids.map((name) => [Number(name), processStat(Number(name))] as const);
  return new Map(stats.filter((entry): entry is [number, ProcessStat] => entry[1] !== undefined));
}

/** The process and all that descend from it, parents first; Linux only. */
export function processTree(root: number): number[] {
  const stats = processStats();
  const tree = [root];
  // Grows while it is walked.
  for (const pid of tree) for (const [child, { parent }] of stats) if (parent === pid) tree.push(child);
  return tree;
}

/** To who has ended meanwhile there is nothing to say. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/**
 * When the process with this id was started, in a form that only serves to compare; undefined when there is none.
 * A process id alone names nobody for long: after a reboot it soon belongs to another program.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const stat = processStat(pid);
    if (stat === undefined) return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${stat.startTicks}`;
  }
  return promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}
