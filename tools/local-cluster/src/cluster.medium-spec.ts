import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { toolsDirectory, until } from '@ringleader/server-processes';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCluster, type ClusterContext } from './cluster.js';
import { askStarter } from './control.js';
import type { ClusterOptions } from './services.js';
import { readClusterState } from './state-file.js';

/** Stands in for a service: serves what the starter asks a gateway, says that it ends, ends when asked. */
const STUB = `
const { createServer } = require('node:http');
const { appendFileSync } = require('node:fs');
const member = process.env.RINGLEADER_MEMBER;
const note = (text) => appendFileSync(process.env.RINGLEADER_TEST_NOTES, text + ' ' + member + '\\n');
note('start');
process.on('SIGTERM', () => { note('stop'); process.exit(0); });
createServer((request, response) => {
  response.end(JSON.stringify({ health: 'healthy', reasons: [] }));
}).listen(Number(process.env.RINGLEADER_HTTP_PORT ?? process.env.RINGLEADER_PROBE_PORT), '127.0.0.1');
`;

const OPTIONS: ClusterOptions = {
  shards: 3,
  gateways: 1,
  nats: 1,
  coordinators: 3,
  port: 0,
  ephemeral: false,
  secure: false,
  timeout: 120,
};

describe('LocalCluster', () => {
  let root: string;
  let lines: string[];
  let context: ClusterContext;
  const start = (options: Partial<ClusterOptions> = {}) =>
    LocalCluster.start({ ...OPTIONS, data: join(root, 'data'), ...options }, context);
  const notes = () => join(root, 'notes');

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'ringleader-starter-'));
    await mkdir(toolsDirectory(), { recursive: true });
    await symlink(toolsDirectory(), join(root, '.tools'));
    for (const service of ['coordinator', 'shard', 'gateway', 'failure-detector']) {
      const dist = join(root, 'apps', service, 'dist');
      await mkdir(dist, { recursive: true });
      await writeFile(join(dist, 'main.js'), STUB);
    }
    lines = [];
    context = {
      root,
      environment: { ...process.env, RINGLEADER_TEST_NOTES: notes() },
      say: (text) => void lines.push(text),
      signal: new AbortController().signal,
      impatience: new AbortController().signal,
    };
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const alive = (pid: number) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  it('starts everything, tells where it is, restarts what crashes, and stops in order', async () => {
    const cluster = await start();
    const state = await readClusterState(cluster.folder.path);
    expect(state.status).toBe('healthy');
    const members = state.processes.map(({ member }) => member);
    expect(members).toHaveLength(14);
    const pids = state.processes.map(({ pid }) => pid ?? 0);
    expect(pids.every(alive)).toBe(true);

    for (const member of ['shard-2', 'postgres-1', 'nats-server']) {
      process.kill(state.processes.find((process) => process.member === member)?.pid ?? 0, 'SIGKILL');
    }
    const restarted = async () => {
      const { processes } = await readClusterState(cluster.folder.path);
      return processes
        .filter(({ pid, restarts }) => pid !== null && restarts === 1)
        .map(({ member }) => member);
    };
    await until('restarts', async () => (await restarted()).length === 3, { timeoutMs: 20_000 });
    expect((await restarted()).sort()).toEqual(['nats-server', 'postgres-1', 'shard-2']);
    expect(lines.filter((line) => line.includes('ended with signal SIGKILL'))).toHaveLength(3);

    // As `ringleader local replace-coordinator` asks: what the disk had is gone, and its process is another.
    const kept = join(cluster.folder.path, 'coordinator-2', 'kept');
    await writeFile(kept, '');
    const { control } = await readClusterState(cluster.folder.path);
    const replace = '/coordinators/coordinator-2/replace';
    expect(await askStarter(control!, replace)).toEqual({ member: 'coordinator-2' });
    await expect(askStarter(control!, '/coordinators/shard-2/replace')).rejects.toThrow('MEMBER_NOT_FOUND');
    const isReplaced = async () => {
      const { processes } = await readClusterState(cluster.folder.path);
      const now = processes.find(({ member }) => member === 'coordinator-2')?.pid ?? 0;
      const starts = (await readFile(notes(), 'utf8')).split('start coordinator-2').length - 1;
      return now > 0 && !pids.includes(now) && starts === 2;
    };
    expect(existsSync(kept)).toBe(false);
    await until('a replacement', isReplaced, { timeoutMs: 20_000 });
    const layout = await readFile(join(cluster.folder.path, 'layout.json'), 'utf8');
    expect(JSON.parse(layout)).toMatchObject({ joined: [2] });

    await cluster.stop();
    const last = await readClusterState(cluster.folder.path);
    expect(last.processes.filter(({ pid }) => pid !== null)).toEqual([]);
    expect(last.processes.filter(({ pid }) => pid !== null && alive(pid))).toEqual([]);
    const all = (await readFile(notes(), 'utf8')).split('\n').filter((line) => line.startsWith('stop'));
    const [replaced, ...stops] = all;
    expect(replaced).toBe('stop coordinator-2');
    expect(stops.map((line) => line.replace(/-\d$/, ''))).toEqual([
      'stop gateway',
      ...['stop shard', 'stop shard', 'stop shard'],
      ...['stop failure-detector', 'stop failure-detector', 'stop failure-detector'],
      ...['stop coordinator', 'stop coordinator', 'stop coordinator'],
    ]);
  }, 60_000);

  it('does what ringleader local asks for, and brings at the next start the shards that there are then', async () => {
    const first = await start();
    const state = () => readClusterState(first.folder.path);
    const processOf = async (name: string) =>
      (await state()).processes.find(({ member }) => member === name) ?? { pid: null, held: undefined };
    const { control } = await state();
    const ask = (path: string, body: object = {}) => askStarter(control!, path, body);

    expect(await ask('/shards', { zone: 'b', weight: 2 })).toEqual({ member: 'shard-4' });
    for (const name of ['shard-4', 'postgres-4']) expect((await processOf(name)).pid).not.toBeNull();
    await ask('/members/shard-4/kill');
    expect(await processOf('shard-4')).toMatchObject({ pid: null, held: 'killed' });
    await expect(ask('/members/shard-4/pause')).rejects.toThrow('ALREADY_SO');
    await ask('/members/shard-4/restart');
    const { pid } = await processOf('shard-4');
    expect(pid).not.toBeNull();
    await ask('/members/shard-4/cut');
    expect(await processOf('shard-4')).toMatchObject({ held: 'cut' });
    expect((await processOf('shard-4')).pid).not.toBe(pid);
    await ask('/members/shard-4/restart');
    await ask('/members/postgres-4/pause');
    await expect(ask('/members/nats-server/cut')).rejects.toThrow('INVALID_ARGUMENT');
    await expect(ask('/members/shard-5/stop')).rejects.toThrow('MEMBER_NOT_FOUND');
    await first.stop();
    expect((await state()).control).toBeNull();

    // The next time it says that it was removed.
    const fatal = JSON.stringify({ level: 'fatal', code: 'SHARD_REMOVED', msg: 'It was removed' });
    const removed = `if (member === 'shard-4') { console.log('${fatal}'); process.exit(78); }`;
    await writeFile(join(root, 'apps/shard/dist/main.js'), `${STUB}\n${removed}`);
    const second = await start();
    const database = join(root, 'data/postgres-4');
    const isCleared = () =>
      lines.some((line) => line.includes('shard-4 was removed')) && !existsSync(database);
    await until('its database is gone', isCleared, { timeoutMs: 20_000 });
    const members = (await state()).processes.map(({ member }) => member);
    expect(members).toHaveLength(14);
    expect(members).not.toContain('shard-4');
    await second.stop();
  }, 60_000);

  /** Ends for good, as one that was removed, when the signal comes. */
  const REMOVABLE = `
const service = member.replace(/-\\d+$/, '').toUpperCase().replace('COORDINATOR', 'MEMBER');
process.on('SIGUSR2', () => {
  console.log(JSON.stringify({ level: 'fatal', code: service + '_REMOVED', msg: 'It was removed' }));
  process.exit(78);
});
note('removable');`;
  const untilRemovable = (member: string) => {
    const isSo = async () => (await readFile(notes(), 'utf8')).includes(`removable ${member}`);
    return until(`${member} listens`, isSo, { timeoutMs: 20_000 });
  };

  it('gives the number of a shard that was removed away when its database is gone, not before', async () => {
    await writeFile(join(root, 'apps/shard/dist/main.js'), STUB + REMOVABLE);
    const cluster = await start();
    const state = () => readClusterState(cluster.folder.path);
    const ask = async (path: string) => askStarter((await state()).control!, path);
    const pidOf = async (name: string) =>
      (await state()).processes.find(({ member }) => member === name)?.pid ?? 0;
    await ask('/shards');
    await untilRemovable('shard-4');
    const database = await pidOf('postgres-4');
    // It takes its time to stop.
    process.kill(database, 'SIGSTOP');
    process.kill(await pidOf('shard-4'), 'SIGUSR2');
    const isGone = async () => !(await state()).processes.some(({ member }) => member === 'shard-4');
    await until('shard-4 is gone', isGone, { timeoutMs: 20_000 });
    expect(await ask('/shards')).toEqual({ member: 'shard-4' });
    expect(lines.filter((line) => line.includes('shard-4 was removed'))).toHaveLength(1);
    expect(alive(database)).toBe(false);
    expect(alive(await pidOf('postgres-4'))).toBe(true);
    expect(existsSync(join(root, 'data/postgres-4/data'))).toBe(true);
    await cluster.stop();
  }, 60_000);

  it('runs on where its layout cannot be written, and where what it is asked to start cannot be started', async () => {
    await writeFile(join(root, 'apps/coordinator/dist/main.js'), STUB + REMOVABLE);
    const cluster = await start();
    const state = () => readClusterState(cluster.folder.path);
    const ask = async (path: string) => askStarter((await state()).control!, path);
    const processOf = async (name: string) => (await state()).processes.find(({ member }) => member === name);
    const gone = (name: string) => async () => (await processOf(name)) === undefined;

    const obstacle = join(root, 'data/layout.json.new');
    await mkdir(obstacle);
    await untilRemovable('coordinator-3');
    process.kill((await processOf('coordinator-3'))?.pid ?? 0, 'SIGUSR2');
    await until('coordinator-3 is gone', gone('coordinator-3'), { timeoutMs: 20_000 });
    const complaint = '✗ what is left of coordinator-3 cannot be cleared away';
    await until('it is said', () => lines.some((line) => line.startsWith(complaint)), { timeoutMs: 20_000 });
    await rm(obstacle, { recursive: true });

    const log = join(root, 'data/logs/shard-4.log');
    await mkdir(log);
    await expect(ask('/shards')).rejects.toThrow('shard-4.log');
    for (const name of ['shard-4', 'postgres-4']) expect(await processOf(name)).toBeUndefined();
    await rm(log, { recursive: true });
    expect(await ask('/shards')).toEqual({ member: 'shard-4' });

    const [data, aside] = [join(root, 'data/postgres-4/data'), join(root, 'data/postgres-4/aside')];
    await ask('/members/postgres-4/stop');
    await rename(data, aside);
    await expect(ask('/members/postgres-4/restart')).rejects.toThrow('postgres-4');
    expect(await processOf('postgres-4')).toMatchObject({ pid: null, held: 'stopped' });
    await rename(aside, data);
    await ask('/members/postgres-4/restart');
    expect((await processOf('postgres-4'))?.pid).not.toBeNull();

    await writeFile(join(root, 'apps/failure-detector/dist/main.js'), 'process.exit(78)');
    await expect(ask('/members/failure-detector-1/restart')).rejects.toThrow('failure-detector-1 ended');
    await writeFile(join(root, 'apps/failure-detector/dist/main.js'), 'process.exit(1)');
    await expect(ask('/members/failure-detector-2/restart')).rejects.toThrow('started again');

    // Whoever is cut off runs behind a proxy, also where another process of the same name did so before.
    await ask('/members/coordinator-2/cut');
    await ask('/coordinators/coordinator-2/replace');
    const replaced = await processOf('coordinator-2');
    await ask('/members/coordinator-2/cut');
    expect((await processOf('coordinator-2'))?.pid).not.toBe(replaced?.pid);
    await cluster.stop();
  }, 60_000);

  it('runs a cluster of nats-servers, each of which comes back on its own port', async () => {
    const cluster = await start({ nats: 3 });
    // They stand in the order in which they were prepared.
    const servers = async () =>
      (await readClusterState(cluster.folder.path)).processes
        .filter(({ service }) => service === 'nats-server')
        .sort((a, b) => (a.member < b.member ? -1 : 1));
    const before = await servers();
    expect(before.map(({ member }) => member)).toEqual(['nats-server-1', 'nats-server-2', 'nats-server-3']);
    const { natsUrl } = await readClusterState(cluster.folder.path);
    expect(natsUrl.split(',').sort()).toEqual(before.map(({ url }) => url).sort());
    process.kill(before[1]?.pid ?? 0, 'SIGKILL');
    const isBack = async () =>
      (await servers()).every(({ pid, restarts }, i) => pid !== null && (i !== 1 || restarts === 1));
    await until('a restart', isBack, { timeoutMs: 20_000 });
    expect((await servers()).map(({ port }) => port)).toEqual(before.map(({ port }) => port));
    await cluster.stop();
  }, 60_000);

  it('refuses a second start on the same data, and fewer shards than wrote it', async () => {
    const cluster = await start({ shards: 4 });
    await expect(start({ shards: 4 })).rejects.toThrow(/runs on .*data already/);
    await cluster.stop();
    await expect(start()).rejects.toThrow(/written by 4 shards/);
  }, 60_000);

  it('refuses a port that is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(start({ port })).rejects.toThrow(`Port ${port} is taken`);
    await new Promise((resolve) => server.close(resolve));
  });

  it('refuses a folder that cannot hold data', async () => {
    await writeFile(join(root, 'file'), '');
    const data = join(root, 'file', 'data');
    await expect(start({ data })).rejects.toThrow(/cannot hold the data/);
  });

  it('refuses other programs of PostgreSQL than those that made the data, and folders without any', async () => {
    const database = join(root, 'data/postgres-2/data');
    await mkdir(database, { recursive: true });
    await writeFile(join(database, 'PG_VERSION'), '13\n');
    await expect(start()).rejects.toThrow(/database of shard-2 .* made by PostgreSQL 13, and .* npm brings/);
    // Nothing was started, made or changed.
    expect(await readdir(database)).toEqual(['PG_VERSION']);
    const made = (await readdir(join(root, 'data'), { recursive: true })).sort();
    expect(made).toEqual(['lock', 'logs', 'postgres-2', 'postgres-2/data', 'postgres-2/data/PG_VERSION']);
    expect(lines).toEqual([]);
    const data = join(root, 'none');
    await expect(start({ data, postgres: root })).rejects.toThrow(`PostgreSQL is not in ${root}, which`);
    expect(existsSync(data)).toBe(false);
  });

  it('gives up, and stops what it started, when a service keeps ending', async () => {
    await writeFile(join(root, 'apps/gateway/dist/main.js'), 'throw new Error("broken");');
    await expect(start()).rejects.toThrow(/gateway-1 keeps ending/);
    const { processes } = await readClusterState(join(root, 'data'));
    expect(processes.filter(({ pid }) => pid !== null)).toEqual([]);
    expect(lines.join('\n')).toContain('broken');
  }, 90_000);

  it('starts degraded without who refuses to run, where the rest serves', async () => {
    const fatal = JSON.stringify({ level: 'fatal', code: 'LOG_MISSING', msg: 'It is empty' });
    const refusal = `if (member === 'coordinator-2') { console.log('${fatal}'); process.exit(78); }`;
    await writeFile(join(root, 'apps/coordinator/dist/main.js'), `${STUB}\n${refusal}`);
    const degraded = STUB.replace("'healthy', reasons: []", "'degraded', reasons: ['it is not running']");
    await writeFile(join(root, 'apps/gateway/dist/main.js'), degraded);
    const cluster = await start();
    expect(cluster.missing).toEqual([
      `coordinator-2 refuses to run: see ${join(root, 'data/logs/coordinator-2.log')}`,
    ]);
    const { status, processes } = await readClusterState(cluster.folder.path);
    expect(status).toBe('degraded');
    expect(processes.find(({ member }) => member === 'coordinator-2')).toMatchObject({
      pid: null,
      restarts: 0,
    });
    expect(lines.filter((line) => line.includes('LOG_MISSING: It is empty'))).toHaveLength(1);
    await cluster.stop();
  }, 60_000);

  it('starts without a database that does not start, where the rest has served before, and tries it again', async () => {
    await (await start()).stop();
    const degraded = STUB.replace("'healthy', reasons: []", "'degraded', reasons: ['shard-2 waits']");
    await writeFile(join(root, 'apps/gateway/dist/main.js'), degraded);
    const [file, aside] = [join(root, 'data/postgres-2/data/global/pg_control'), join(root, 'aside')];
    await rename(file, aside);
    const cluster = await start();
    expect(cluster.missing).toEqual([
      `postgres-2 keeps ending: see ${join(root, 'data/logs/postgres-2.log')}`,
    ]);
    expect(lines.some((line) => /postgres-2 could not be started: .*; starting it again/.test(line))).toBe(
      true,
    );
    await rename(aside, file);
    const pidNow = async (): Promise<number | null> => {
      const { processes } = await readClusterState(cluster.folder.path);
      return processes.find(({ member }) => member === 'postgres-2')?.pid ?? null;
    };
    await until('the database runs', async () => (await pidNow()) !== null, { timeoutMs: 60_000 });
    await cluster.stop();
  }, 120_000);

  it('gives up where a database does not start before the cluster has served', async () => {
    const database = join(root, 'data/postgres-2/data');
    await mkdir(database, { recursive: true });
    await writeFile(join(database, 'PG_VERSION'), 'none\n');
    await expect(start()).rejects.toThrow(/postgres-2 did not become ready/);
  }, 60_000);

  it('removes an ephemeral folder at the end, and one that a killed cluster left', async () => {
    const left = await mkdtemp(join(tmpdir(), 'ringleader-ephemeral-'));
    await writeFile(join(left, 'lock'), 'process 1 on another machine\n');
    const cluster = await start({ ephemeral: true });
    expect(existsSync(left)).toBe(false);
    await cluster.stop();
    await expect(readFile(join(cluster.folder.path, 'cluster.json'))).rejects.toThrow('ENOENT');
  }, 60_000);
});
