import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * When the process with this id was started, in a form that only serves to compare; undefined when there is none.
 * A process id alone names nobody for long: after a reboot it soon belongs to another program.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // The second field is the program's name in parentheses and may hold anything; the fields after it may not.
    const afterName = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (afterName === undefined || afterName[0] === 'Z' || afterName[0] === 'X') return undefined;
    return `${boot.trim()} ${afterName[19] ?? ''}`;
  }
  return run('ps', ['-o', 'lstart=', '-p', String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}
