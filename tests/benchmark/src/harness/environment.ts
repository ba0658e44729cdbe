/** On what, and with what, it was measured. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem, version } from 'node:os';
import { promisify } from 'node:util';
import {
  locateNatsServer,
  postgresPrograms,
  toolsDirectory,
  workspaceRoot,
} from '@ringleader/server-processes';

const run = promisify(execFile);

/** With a + behind it where something is not committed. */
export async function commitOf(): Promise<string> {
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', args, { cwd: workspaceRoot() })).stdout.trim();
  try {
    const dirty = await git('status', '--porcelain', '--untracked-files=no');
    return `${await git('rev-parse', '--short=12', 'HEAD')}${dirty === '' ? '' : '+'}`;
  } catch (error) {
    // An archive of the sources, or no git.
    return `unknown (${(error as Error).message.split('\n')[0]})`;
  }
}

const firstLine = async (program: string, ...args: string[]): Promise<string> => {
  const { stdout, stderr } = await run(program, args);
  return (stdout || stderr).trim().split('\n')[0] ?? '';
};

export async function machineOf(): Promise<Record<string, string>> {
  const all = cpus();
  const os = /^PRETTY_NAME="(.*)"/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? version();
  const disk = await firstLine('stat', '--file-system', '--format=%T', tmpdir());
  return {
    processors: `${all.length} x ${all[0]?.model ?? 'unknown'}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    system: `${os}, Linux ${release()}`,
    'file system': `${disk} (${tmpdir()})`,
    network: 'loopback',
  };
}

export async function versionsOf(searchPath: string): Promise<Record<string, string>> {
  const { postgres } = await postgresPrograms();
  const nats = await locateNatsServer({ searchPath, toolsDir: toolsDirectory() });
  return {
    node: process.versions.node,
    postgres: (await firstLine(postgres, '--version')).replace(/^.* /, ''),
    'nats-server': (await firstLine(nats, '--version')).replace(/^.* v?/, ''),
  };
}
