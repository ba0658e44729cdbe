/** The script by which a shard's PostgreSQL runs, with a real server, in folders of this machine. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { postgresPrograms, startChild, unprivileged, until } from '@ringleader/testing-servers';
import type { Child } from '@ringleader/testing-servers';
import { POSTGRES_FOLDERS, postgresFiles } from '../src/resources/postgres.js';

const WAIT = { timeoutMs: 30_000 };

describe('the entry script of a shard’s PostgreSQL', () => {
  let folder: string;
  let prefix: readonly string[];
  const running: Child[] = [];
  const at = (...path: string[]) => join(folder, ...path);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-'));
    await chmod(folder, 0o755);
    const account = await unprivileged();
    ({ prefix } = account);
    for (const name of ['config', 'volume', 'socket']) await mkdir(at(name));
    const files = postgresFiles({ settings: {}, userId: 999 }, { memory: '192Mi', volume: '1Gi' });
    for (const [name, text] of Object.entries(files)) {
      const here = Object.entries(POSTGRES_FOLDERS).reduce(
        (all, [what, path]) => all.replaceAll(path, at(what)),
        text,
      );
      await writeFile(at('config', name), here);
    }
    // What an initdb that was interrupted has left.
    await mkdir(at('volume', 'new'));
    await writeFile(at('volume', 'new', 'PG_VERSION'), '18');
    const { uid, gid } = account.owner ?? {};
    if (uid !== undefined) execFileSync('chown', ['-R', `${uid}:${gid}`, at('volume'), at('socket')]);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((child) => child.stop('SIGTERM')));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function start(log: string): Promise<Child> {
    const { postgres } = await postgresPrograms();
    const env = { PATH: [dirname(postgres), '/usr/bin', '/bin'].join(delimiter) };
    const args = [at('config', 'entry.sh')];
    const logFile = at(log);
    const spec = { name: log, prefix, command: 'sh', args, env, logFile, orphaned: 'SIGTERM' as const };
    const child = await startChild(spec);
    running.push(child);
    return child;
  }

  const logOf = ({ logFile }: Child) => readFile(logFile, 'utf8');
  async function serves(child: Child): Promise<void> {
    const isReady = async () => (await logOf(child)).includes('ready to accept connections');
    await until('PostgreSQL serves', isReady, {
      ...WAIT,
      failure: () => (child.exit() === undefined ? undefined : 'it ended'),
    });
  }

  it('makes the database whole, once, and TERM ends it cleanly', async () => {
    const first = await start('first.log');
    await serves(first);
    const second = await start('second.log');
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(await logOf(second)).toMatch(/Another server still runs on this volume/);
    expect(await first.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect((await logOf(first)).trimEnd().split('\n').at(-1)).toMatch(/database system is shut down$/);
  });

  it('starts again where the server was killed and its folder was opened to the group', async () => {
    const before = await start('before.log');
    await serves(before);
    const [pid] = (await readFile(at('volume/data/postmaster.pid'), 'utf8')).split('\n');
    process.kill(Number(pid), 'SIGKILL');
    expect((await before.exited).code).toBe(137);
    await chmod(at('volume/data'), 0o2770);
    // In a container they are gone at once; here the server's other processes have to notice.
    const isFree = () => spawnSync('flock', ['-n', at('volume/lock'), 'true']).status === 0;
    await until('the lock of the volume is free', isFree, WAIT);
    const after = await start('after.log');
    await serves(after);
    expect(await logOf(after)).toMatch(/automatic recovery in progress/);
    expect(await logOf(after)).not.toMatch(/running bootstrap script/);
    expect((await stat(at('volume/data'))).mode & 0o777).toBe(0o700);
  });
});
