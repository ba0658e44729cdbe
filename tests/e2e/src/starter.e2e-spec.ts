/**
 * `npm start` as a person meets it: real processes, real servers, from the command line to the last process that ends.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { processStart, processStat, until, workspaceRoot } from '@ringleader/server-processes';
import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import {
  LocalClusterHandle,
  processTree,
  readClusterState,
  startLocalCluster,
} from '@ringleader/testing-local-cluster';
import { refusedStart, ringleader, run, START_MS, withoutProgress } from './commands.js';

/** Some seconds; a machine that runs other things too may take longer to stop a cluster in order. */
const GONE = { timeoutMs: 60_000, everyMs: 100 };

const KEYS = Array.from({ length: 40 }, (_, i) => `kept/${i}`);

const isAlive = async (pid: number) => (await processStart(pid)) !== undefined;

async function processesOf(folder: string): Promise<number[]> {
  const { processes, supervisorPid } = await readClusterState(folder);
  return [supervisorPid, ...processes.flatMap(({ pid }) => (pid === null ? [] : [pid]))];
}

async function untilNoneOf(pids: readonly number[]): Promise<void> {
  await until('all processes end', async () => !(await Promise.all(pids.map(isAlive))).some(Boolean), GONE);
}

describe('npm start', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ringleader-npm-start-'));
  });
  // It may hold a whole clone.
  afterEach(() => rm(folder, { recursive: true, force: true }), 60_000);

  it(
    'keeps what it holds over every way to end (Ctrl-C, kill -9 of itself, of what supervises, and of npm), and over lost disks of coordinators',
    async () => {
      const first = await startLocalCluster({ data: folder });
      const curls = first.output.split('\n').filter((line) => line.trim().startsWith('curl '));
      expect(curls).toHaveLength(3);
      const answers: string[] = [];
      for (const curl of curls) answers.push((await run('sh', ['-c', `${curl.trim()} -sS`])).stdout);
      expect(answers[1]).toBe('hello');
      expect(JSON.parse(answers[2] ?? '')).toMatchObject({ name: 'local', health: 'healthy' });
      await putsAll((await first.gatewayUrls())[0] ?? '');
      const pids = await processesOf(folder);
      expect(pids).toHaveLength(15);
      expect(await first.stop()).toEqual({ code: 0, signal: null });
      await untilNoneOf(pids);

      await rm(join(folder, 'coordinator-2'), { recursive: true });
      const second = await startLocalCluster({ data: folder });
      const [url = ''] = await second.gatewayUrls();
      expect(await (await fetch(`${url}/v1/kv/greeting`)).text()).toBe('hello');
      await hasAll(url);
      await isDegraded(second);
      await replacesCoordinator(url);
      await second.untilHealthy();
      const snapshot = join(folder, 'snapshot');
      await ringleader('coordinator', 'snapshot', 'save', snapshot, '--gateway', url);
      expect(await hashes(url)).toMatchObject({ consistent: true, members: [{}, {}, {}] });
      const before = await processesOf(folder);
      process.kill(second.starterPid, 'SIGKILL');
      await untilNoneOf(before);
      await second.untilExit();

      // All coordinators lose their disks.
      const places = [1, 2, 3].map((seat) => join(folder, `coordinator-${seat}`));
      for (const place of places) await rm(place, { recursive: true });
      const dirs = places.flatMap((place) => ['--data-dir', `${basename(place)}=${place}`]);
      await ringleader('coordinator', 'snapshot', 'restore', snapshot, ...dirs);
      const third = await startLocalCluster({ data: folder });
      const [restored = ''] = await third.gatewayUrls();
      await hasAll(restored);
      const group = await hashes(restored);
      expect(group).toMatchObject({ consistent: true, members: [{}, {}, {}] });
      expect(group.revision).toBeGreaterThan(1_000_000_000);
      const { supervisorPid, processes } = await third.state();
      const stopped = processes.filter(({ member }) => ['nats-server', 'postgres-1'].includes(member));
      const others = processes.filter((process) => !stopped.includes(process));
      const pidsOf = (some: typeof processes) => some.map(({ pid }) => pid ?? 0);
      for (const pid of pidsOf(stopped)) process.kill(pid, 'SIGSTOP');
      process.kill(supervisorPid, 'SIGKILL');
      await untilNoneOf(pidsOf(others));
      expect(await Promise.all(pidsOf(stopped).map(isAlive))).not.toContain(false);
      await third.untilExit();

      const names = stopped.map(({ member }) => member).join(', ');
      await endsWithNpm(`✓ ended what an earlier start had left running: ${names}\n`);
      await untilNoneOf(pidsOf(stopped));
    },
    4 * START_MS,
  );

  it(
    'ends everything at once at a second Ctrl-C, also while it waits for a server that does not come',
    async () => {
      const server = join(folder, 'bin/nats-server');
      await mkdir(dirname(server));
      await writeFile(server, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
      const path = `${dirname(server)}:${process.env['PATH']}`;
      const data = join(folder, 'data');
      const cluster = await LocalClusterHandle.spawn({ data, env: { PATH: path } });
      const isUp = () => cluster.output.includes('✓ postgres-3');
      const failure = () => (cluster.output.includes('cannot start') ? cluster.output : undefined);
      await until('the databases are there', isUp, { timeoutMs: START_MS, failure });
      const pids = processTree(cluster.starterPid);
      expect(pids.length).toBeGreaterThan(4);
      const ended = cluster.untilExit(30_000);
      const isToldAndGone = async () => {
        if (await isAlive(cluster.starterPid)) process.kill(cluster.starterPid, 'SIGINT');
        return !(await isAlive(cluster.starterPid));
      };
      await until('the starter ends', isToldAndGone, { timeoutMs: 20_000, everyMs: 500 });
      expect((await ended).code).toBe(1);
      await untilNoneOf(pids);
    },
    START_MS,
  );

  async function putsAll(url: string): Promise<void> {
    for (const key of KEYS) {
      const { ok } = await fetch(`${url}/v1/kv/${key}`, { method: 'PUT', body: key });
      expect(ok).toBe(true);
    }
  }

  async function hasAll(url: string): Promise<void> {
    for (const key of KEYS) expect(await (await fetch(`${url}/v1/kv/${key}`)).text()).toBe(key);
    const put = await fetch(`${url}/v1/kv/${KEYS[0] ?? ''}`, { method: 'PUT', body: KEYS[0] ?? '' });
    expect(put.ok).toBe(true);
  }

  /** Without a coordinator that lost its disk, and says why once. */
  async function isDegraded(cluster: LocalClusterHandle): Promise<void> {
    expect(cluster.output).toMatch(/^Ringleader is degraded /m);
    expect(cluster.output).toMatch(/^✗ coordinator-2 refuses to run: see /m);
    const refusals = cluster.output.match(
      /^✗ coordinator-2 ended with exit code 78.*LOG_MISSING: .*it is empty/gm,
    );
    expect(refusals).toHaveLength(1);
    expect((await cluster.state()).status).toBe('degraded');
    expect(await cluster.process('coordinator-2')).toMatchObject({ pid: null, restarts: 0 });
  }

  async function hashes(url: string): Promise<{ readonly revision: number }> {
    const said = await ringleader('coordinator', 'hash', '-o', 'json', '--gateway', url);
    return JSON.parse(said) as { readonly revision: number };
  }

  async function replacesCoordinator(url: string): Promise<void> {
    const members = async () =>
      JSON.parse(await ringleader('coordinator', 'members', '-o', 'json', '--gateway', url)) as {
        readonly id: string;
        readonly role: string;
      }[];
    const before = await members();
    await ringleader('local', 'replace-coordinator', 'coordinator-2', '--data', folder);
    const after = await members();
    expect(after.map(({ role }) => role).sort()).toEqual(['leader', 'voter', 'voter']);
    expect(after.map(({ id }) => before.some((member) => member.id === id))).toEqual([true, false, true]);
  }

  /** As a person types it. Only npm is killed. */
  async function endsWithNpm(says: string): Promise<void> {
    // As from a person's shell: this test itself may run below another npm.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
    const npm = spawn('npm', ['start', '--', '--port', '0', '--data', folder], {
      ...{ cwd: workspaceRoot(), env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    npm.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    const isHealthy = () => text.includes('Ringleader is healthy');
    await until('the cluster is healthy', isHealthy, { timeoutMs: START_MS });
    expect(text).toContain(says);
    const pids = await processesOf(folder);
    // What was started as `npm` may be a script that waits for npm: the bootstrap's parent is npm itself.
    const parentOf = (pid = 0) => processStat(pid)?.parent ?? 0;
    const starter = parentOf(pids[0]);
    const npmItself = parentOf(starter);
    expect(processTree(npm.pid ?? 0)).toContain(npmItself);
    process.kill(npmItself, 'SIGKILL');
    await untilNoneOf([...pids, npmItself, starter]);
  }

  const isRoot = process.getuid?.() === 0;

  /** This Node, where anybody may run it. */
  async function nodeForAnybody(): Promise<string> {
    const node = join(folder, 'node');
    await cp(process.execPath, node);
    await chmod(node, 0o755);
    return node;
  }

  /** An account without any rights, as the system's tools see it. Who is not root has such a one himself. */
  const NOBODY = 65534;
  const asNobody = (home: string, ...line: string[]) => {
    const account = [
      'setpriv',
      `--reuid=${NOBODY}`,
      `--regid=${NOBODY}`,
      '--clear-groups',
      '--inh-caps=-all',
    ];
    return [...(isRoot ? account : []), 'env', `HOME=${home}`, ...line];
  };
  const giveToNobody = async (path: string) => {
    if (isRoot) await run('chown', ['-R', `${NOBODY}:${NOBODY}`, path]);
  };

  it(
    "runs from another user's clone, in a home that nobody else may enter, whatever its path holds",
    async () => {
      const clone = join(folder, "Zoë's home (ü)", 'ring leader');
      await mkdir(dirname(clone));
      const node = await nodeForAnybody();
      await run('cp', ['-a', workspaceRoot(), clone]);
      await rm(join(clone, '.ringleader'), { recursive: true, force: true });
      await giveToNobody(folder);
      await run('chmod', ['700', folder, dirname(clone)]);
      const prefix = asNobody(dirname(clone));
      const data = join(clone, '.ringleader');
      const cluster = await startLocalCluster({ root: clone, node, data, prefix });
      expect(cluster.output).not.toContain('Installing');
      expect((await cluster.stop()).code).toBe(0);
      const [command = '', ...args] = asNobody(dirname(clone), node);
      const tests = join(clone, 'tools/bootstrap/test.mjs');
      const { stdout } = await run(command, [...args, tests, 'cycles']);
      expect(stdout).toMatch(/2 passed, 0 failed\n$/);
    },
    3 * START_MS,
  );

  it(
    'refuses a clone that its user may not write to in one sentence',
    async () => {
      await chmod(folder, 0o755);
      const clone = join(folder, 'clone');
      for (const path of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'tools/bootstrap'])
        await cp(join(workspaceRoot(), path), join(clone, path), { recursive: true });
      for (const name of ['apps', 'libs', 'tests']) await mkdir(join(clone, name));
      await run('chmod', ['-R', 'a-w', clone]);
      const home = join(folder, 'home');
      await mkdir(home);
      await giveToNobody(home);
      const script = join(clone, 'tools/bootstrap/start.mjs');
      const [command = '', ...args] = asNobody(home, await nodeForAnybody(), script);
      await expect(run(command, args)).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /\nRinglead[^\n]*permission is denied[^\n]*folder of your own[^\n]*\n$/,
        ),
      });
      await run('chmod', ['-R', 'u+w', clone]);
    },
    START_MS,
  );

  it('refuses a bad flag, a missing value and an impossible number in one sentence', async () => {
    for (const args of [
      ['--sharks', '3'],
      ['--port'],
      ['--shards'],
      ['--shards', '2'],
      ['--coordinators', '4'],
    ]) {
      const { code, stderr } = await refusedStart(...args);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^Ringleader cannot start\. [^\n]*$/);
      expect(stderr).toContain(`'${args[0]}`);
    }
  }, 60_000);

  const ownMounts = isRoot ? '-m' : '-Urm';

  it('refuses a folder on a read-only or a full disk', async () => {
    if (!(await canMount())) return;
    const mount = join(folder, 'disk');
    await mkdir(mount);
    const script = join(workspaceRoot(), 'tools/bootstrap/start.mjs');
    // In a mount namespace of its own: nothing of it is seen outside, or left behind.
    const onDisk = (options: string, line = 'exec "$2" "$3" --port 0 --data "$1/data"') =>
      run('unshare', [
        ...[ownMounts, 'sh', '-c', `mount -t tmpfs -o ${options} none "$1" && ${line}`],
        ...['sh', mount, process.execPath, script],
      ]).then(
        ({ stdout }) => stdout,
        (error: { stderr: string }) => withoutProgress(error.stderr).trim(),
      );
    expect(await onDisk('ro')).toMatch(/^Ringleader cannot start\. .*read-only.*--data\.$/);
    expect(await onDisk('size=1m')).toMatch(/^Ringleader cannot start\. .*disk has \d+ MB free.*--data\.$/);
    // What a killed cluster left behind goes first, and nothing else is left.
    const left =
      'mkdir "$1/ringleader-ephemeral-1"; cd "$1/ringleader-ephemeral-1"; echo it >lock; cat /dev/zero >full';
    const start = 'cd "$1"; TMPDIR=$1 "$2" "$3" --port 0 --ephemeral; ls -A | grep ringleader';
    const ephemeral = `exec 2>&1; ${left}; ${start}; true`;
    expect(await onDisk('size=1m', ephemeral)).toMatch(/Ringleader cannot start\. .*MB free.*--data\.\n$/);
  }, 60_000);

  async function canMount(): Promise<boolean> {
    return run('unshare', [ownMounts, 'mount', '-t', 'tmpfs', 'none', folder]).then(
      () => true,
      () => false,
    );
  }
});
