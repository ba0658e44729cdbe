import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './ports.js';
import { localPostgres } from './postgres.js';
import { postgresPrograms } from './postgres-programs.js';

const run = promisify(execFile);

async function addressSeenBy(url: string): Promise<unknown> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query('SELECT inet_server_port() AS port');
  await client.end();
  return (rows as { port: unknown }[])[0]?.port;
}

describe('localPostgres', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'ringleader ü, "x"-'));
    await chmod(home, 0o700);
  });
  afterEach(() => rm(home, { recursive: true }));

  it.each([
    ['by a user namespace', true, 'own data'],
    ['by another account', false, 'own data'],
    ['with too long a path for a socket', true, 'x'.repeat(120)],
    ['by another account, with too long a path for a socket', false, 'x'.repeat(120)],
  ])(
    'runs below a folder that its user alone may enter, %s',
    async (_how, namespaces, name) => {
      const dir = join(home, name);
      await mkdir(dir);
      const server = await localPostgres({ name: 'postgres', dir, logFile: join(home, 'log'), namespaces });
      const hasSocket = server.port === undefined;
      expect(hasSocket).toBe(name.length < 100);
      for (const start of [1, 2]) {
        const child = await server.launch();
        expect(child.pid).toBeGreaterThan(start);
        expect(await addressSeenBy(server.url)).toBe(server.port ?? null);
        await child.stop();
        expect(child.exit()).toEqual({ code: 0, signal: null });
      }
    },
    60_000,
  );

  it.each([
    ['root', ''],
    ['a user who has none', 'unshare -U --map-user=4321 --map-group=4321'],
  ])('runs for %s where only root and nobody have accounts', async (_who, account) => {
    const passwd = join(home, 'passwd');
    await writeFile(passwd, 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n');
    const built = new URL('../dist/unprivileged.js', import.meta.url).href;
    const program = `
      import { execFileSync } from 'node:child_process';
      const { unprivileged } = await import(${JSON.stringify(built)});
      const [command, ...args] = [...(await unprivileged()).prefix, 'whoami'];
      process.stdout.write(execFileSync(command, args));`;
    // In a mount namespace of its own, where the system allows one: nobody else sees that file.
    const within = (line: string, ...args: string[]) =>
      run('unshare', [process.getuid?.() === 0 ? '-m' : '-Urm', 'sh', '-c', line, 'sh', passwd, ...args]);
    const mount = 'mount --bind "$1" /etc/passwd';
    const refused = await within(mount).then(
      () => undefined,
      (error: Error) => error,
    );
    if (refused !== undefined) return;
    const line = `${mount} && exec ${account} "$2" --input-type=module -e "$3"`;
    expect((await within(line, process.execPath, program)).stdout).toBe('nobody\n');
  });

  it('listens on a port too, if it is given one', async () => {
    const port = await freePort();
    const dir = join(home, 'data');
    const programs = await notingPrograms();
    const logFile = join(home, 'log');
    const server = await localPostgres({ name: 'postgres', dir, port, logFile, programs });
    await (await server.launch()).stop();
    // As some distributions set it.
    await appendFile(join(dir, 'data', 'postgresql.conf'), '\nlogging_collector = on\n');
    const child = await server.launch();
    expect(await addressSeenBy(server.url)).toBe(port);
    await child.stop();
    expect(await readFile(logFile, 'utf8')).toContain('database system is shut down');
    expect(existsSync(join(dir, 'data', 'log'))).toBe(false);
    // Of the programs that it was given.
    expect(await readFile(join(home, 'notes'), 'utf8')).toBe(
      'postgres --version\ninitdb\npostgres -D\npostgres -D\n',
    );
  }, 60_000);

  /** A folder whose programs note that they are called, and then are those that npm brings. */
  async function notingPrograms() {
    const folder = join(home, 'bin');
    await mkdir(folder);
    const real = await postgresPrograms();
    for (const name of ['initdb', 'postgres'] as const) {
      const shown = name === 'initdb' ? name : `${name} $1`;
      const note = `echo "${shown}" >> "\${0%/*}/../notes"`;
      await writeFile(join(folder, name), `#!/bin/sh\n${note}\nexec '${real[name]}' "$@"\n`, { mode: 0o755 });
    }
    return postgresPrograms(folder);
  }
});
