/** On what, and with what, it was measured. */
import { execFile } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem, version } from 'node:os';
import { promisify } from 'node:util';
import {
  locateNatsServer,
  postgresPrograms,
  postgresVersion,
  toolsDirectory,
  workspaceRoot,
} from '@ringleader/server-processes';
import { findCluster } from '../running-cluster.js';
import type { Settings } from './settings.js';

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

/** Of the cluster that is measured. */
async function postgresOf({ data, postgres, targets }: PostgresChoice): Promise<string> {
  const isStarted = data === undefined || !targets.includes('ringleader');
  if (isStarted) return (await postgresPrograms(postgres)).version;
  const processes = await (await findCluster(data)).processes();
  const server = processes.find(({ service }) => service === 'postgres');
  return server === undefined ? 'unknown' : postgresVersion(readlinkSync(`/proc/${server.pid}/exe`));
}

type PostgresChoice = Pick<Settings, 'data' | 'postgres' | 'targets'>;

export async function versionsOf(
  settings: PostgresChoice,
  searchPath: string,
): Promise<Record<string, string>> {
  const postgres = await postgresOf(settings);
  const nats = await locateNatsServer({ searchPath, toolsDir: toolsDirectory() });
  return {
    node: process.versions.node,
    postgres,
    'nats-server': (await firstLine(nats, '--version')).replace(/^.* v?/, ''),
  };
}
