/**
 * `npm start` as a person meets it: real processes, real servers, from the command line to the last process that ends.
 */
import { afterEach, beforeAll, afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { processStart, processStat, unprivileged, until, workspaceRoot } from '@ringleader/server-processes';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import {
  processTree,
  readClusterState,
  startLocalCluster,
  type LocalClusterHandle,
} from '@ringleader/testing-local-cluster';

const run = promisify(execFile);
const START_MS = 180_000;
/** Some seconds; a machine that runs other things too may take longer to stop a cluster in order. */
const GONE = { timeoutMs: 60_000, everyMs: 100 };

const isAlive = async (pid: number) => (await processStart(pid)) !== undefined;

async function processesOf(folder: string): Promise<number[]> {
  const { processes, supervisorPid } = await readClusterState(folder);
  return [supervisorPid, ...processes.flatMap(({ pid }) => (pid === null ? [] : [pid]))];
}

async function untilNoneOf(pids: readonly number[]): Promise<void> {
  await until('all processes end', async () => !(await Promise.all(pids.map(isAlive))).some(Boolean), GONE);
}

/** Runs `npm start` to its end: for starts that are refused. */
async function refusedStart(...args: string[]): Promise<{ code: number; stderr: string }> {
  const script = join(workspaceRoot(), 'tools/bootstrap/start.mjs');
  return run(process.execPath, [script, ...args]).then(
    () => ({ code: 0, stderr: '' }),
    (error: { code: number; stderr: string }) => ({ code: error.code, stderr: error.stderr.trim() }),
  );
}

interface MemberFacts {
  readonly id: string;
  readonly address: string;
  readonly verdict: string;
}

async function memberOf(url: string, id: string): Promise<MemberFacts> {
  const { members } = (await (await fetch(`${url}/v1/cluster`)).json()) as {
    readonly members: readonly MemberFacts[];
  };
  return members.find((member) => member.id === id) ?? { id, address: '', verdict: 'none' };
}

async function balanceBy(url: string, strategy: string): Promise<void> {
  const { status } = await fetch(`${url}/v1/cluster/settings`, {
    method: 'PATCH',
    body: JSON.stringify({ balancer: { strategy } }),
    headers: { 'Content-Type': 'application/merge-patch+json' },
  });
  expect(status).toBe(200);
}

/** How often the gateway has sent a stale read where, by this strategy. */
async function picksOf(url: string, gateway: string, strategy: string): Promise<ReadonlyMap<string, number>> {
  const { address } = await memberOf(url, gateway);
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const line = /^ringleader_gateway_replica_picks_total\{strategy="([\w-]+)",shard="([\w-]+)".*\} (\d+)$/gm;
  const picks = [...text.matchAll(line)].filter(([, by]) => by === strategy);
  return new Map(picks.map(([, , shard = '', count]) => [shard, Number(count)]));
}

/** What it prints. */
async function ringleader(...args: string[]): Promise<string> {
  const script = join(workspaceRoot(), 'tools/bootstrap/ringleader.mjs');
  return (await run(process.execPath, [script, ...args])).stdout;
}

describe('npm start', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ringleader-npm-start-'));
  });
  // It may hold a whole clone.
  afterEach(() => rm(folder, { recursive: true, force: true }), 60_000);

  it(
    'keeps what it holds over every way to end: Ctrl-C, kill -9 of itself, of what supervises, and of npm',
    async () => {
      const first = await startLocalCluster({ data: folder });
      const curls = first.output.split('\n').filter((line) => line.trim().startsWith('curl '));
      expect(curls).toHaveLength(3);
      const answers: string[] = [];
      for (const curl of curls) answers.push((await run('sh', ['-c', `${curl.trim()} -sS`])).stdout);
      expect(answers[1]).toBe('hello');
      expect(JSON.parse(answers[2] ?? '')).toMatchObject({ name: 'local', health: 'healthy' });
      const pids = await processesOf(folder);
      expect(pids).toHaveLength(15);
      expect(await first.stop()).toEqual({ code: 0, signal: null });
      await untilNoneOf(pids);

      const second = await startLocalCluster({ data: folder });
      const [url = ''] = await second.gatewayUrls();
      expect(await (await fetch(`${url}/v1/kv/greeting`)).text()).toBe('hello');
      await replacesCoordinator(url);
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
      const group = await hashes((await third.gatewayUrls())[0] ?? '');
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
      const { stdout } = await run(command, [...args, tests, 'typecheck']);
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
    const onDisk = (options: string) =>
      run('unshare', [
        ...[
          ownMounts,
          'sh',
          '-c',
          `mount -t tmpfs -o ${options} none "$1" && exec "$2" "$3" --port 0 --data "$1/data"`,
        ],
        ...['sh', mount, process.execPath, script],
      ]).then(
        () => '',
        (error: { stderr: string }) => error.stderr.trim(),
      );
    expect(await onDisk('ro')).toMatch(/^Ringleader cannot start\. .*read-only.*--data\.$/);
    expect(await onDisk('size=1m')).toMatch(/^Ringleader cannot start\. .*disk has \d+ MB free.*--data\.$/);
  }, 60_000);

  async function canMount(): Promise<boolean> {
    return run('unshare', [ownMounts, 'mount', '-t', 'tmpfs', 'none', folder]).then(
      () => true,
      () => false,
    );
  }
});

describe('a cluster that npm start runs, of a user who is not root, with no nats-server on PATH', () => {
  let cluster: LocalClusterHandle;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ringleader-npm-start-'));
    // Root's checkout may lie where nobody else can enter: whoever starts there sees root's files as his own.
    const { prefix, owner } = await unprivileged();
    if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
    const [command = 'id', ...args] = [...prefix, 'id', '-u'];
    expect(Number((await run(command, args)).stdout)).toBeGreaterThan(0);
    const folders = (process.env['PATH'] ?? '').split(delimiter);
    const searchPath = folders.filter((path) => !existsSync(join(path, 'nats-server'))).join(delimiter);
    const wanted = { shards: 4, gateways: 2, nats: 3 };
    cluster = await startLocalCluster({
      ...wanted,
      data: folder,
      env: { PATH: searchPath, RINGLEADER_SLOW_START_MS: '3000' },
      prefix,
    });
  }, START_MS);
  afterAll(async () => {
    expect(await cluster.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    await rm(folder, { recursive: true, force: true });
  }, START_MS);

  it('has what was asked for', async () => {
    const { processes, gatewayUrls } = await cluster.state();
    expect(gatewayUrls).toHaveLength(2);
    for (const [service, count] of Object.entries({ shard: 4, postgres: 4, 'nats-server': 3 }))
      expect(processes.filter((process) => process.service === service)).toHaveLength(count);
  });

  it('answers while any one nats-server is stopped, and when it has been killed', async () => {
    const [url = ''] = await cluster.gatewayUrls();
    const key = `${url}/v1/kv/kept`;
    const written = await fetch(key, { method: 'PUT', body: 'value' });
    expect(written.ok).toBe(true);
    const answers = async () => {
      const answer = await fetch(key).catch(() => undefined);
      return answer?.ok === true && (await answer.text()) === 'value';
    };
    for (const member of ['nats-server-1', 'nats-server-2', 'nats-server-3']) {
      const pid = await cluster.signal(member, 'SIGSTOP');
      await until(`an answer without ${member}`, answers, { timeoutMs: 20_000 });
      process.kill(pid, 'SIGKILL');
      await cluster.untilRestarted(member, pid);
      await cluster.untilHealthy();
    }
  }, 180_000);

  it('is refused a second time on the same data, and on the same port', async () => {
    const { gatewayUrls } = await cluster.state();
    const second = await refusedStart('--port', '0', '--data', cluster.dataFolder);
    expect(second).toMatchObject({ code: 1 });
    expect(second.stderr).toMatch(
      /^Ringleader cannot start\. A cluster runs on [^\n]* already \(process \d+ on [^)]+\)[^\n]*$/,
    );
    const port = new URL(gatewayUrls[0] ?? '').port;
    const taken = await refusedStart('--port', port, '--ephemeral');
    expect(taken).toMatchObject({ code: 1 });
    expect(taken.stderr).toMatch(new RegExp(`^Ringleader cannot start\\. Port ${port} is taken[^\\n]*$`));
  }, 60_000);

  it('shows what crashed, starts it again and becomes healthy', async () => {
    const crash = async (member: string) => {
      const previous = await cluster.signal(member, 'SIGKILL');
      await cluster.untilRestarted(member, previous);
    };
    await Promise.all(['gateway-2', 'postgres-1'].map(crash));
    await cluster.untilHealthy();
    for (const member of ['gateway-2', 'postgres-1', 'nats-server-1']) {
      expect(cluster.output).toMatch(new RegExp(`✗ ${member} ended with signal SIGKILL; starting it again`));
      expect(cluster.output).toMatch(new RegExp(`✓ ${member} runs again`));
    }
  }, 90_000);

  it('gets a further shard, and gives it up again, by what is typed', async () => {
    const data = ['--data', cluster.dataFolder];
    const gateway = ['--gateway', (await cluster.gatewayUrls())[0] ?? ''];
    const added = await ringleader('local', 'add-shard', ...data, '-o', 'json');
    expect(JSON.parse(added)).toMatchObject({ name: 'shard-5' });
    await ringleader('drain', 'shard-5', '--wait', ...gateway);
    await ringleader('remove', 'shard-5', ...gateway);
    const isGone = async () =>
      (await cluster.state()).processes.every(({ member }) => !member.endsWith('-5'));
    await until('its process and its database end', isGone, { timeoutMs: 30_000 });
    await cluster.untilHealthy();
  }, 120_000);

  it('is used by the ringleader command, whose exit codes tell what happened', async () => {
    const { gatewayUrls } = await cluster.state();
    const ringleader = join(workspaceRoot(), 'tools/bootstrap/ringleader.mjs');
    // The first one answers nobody: the next is asked.
    const env = { ...process.env, RINGLEADER_GATEWAYS: `http://127.0.0.1:1,${gatewayUrls[0] ?? ''}` };
    const call = (...args: string[]) =>
      run(process.execPath, [ringleader, ...args], { env }).then(
        ({ stdout }) => ({ code: 0, stdout }),
        (error: { code: number; stdout: string }) => ({ code: error.code, stdout: error.stdout }),
      );
    expect(await call('put', 'cli/..', 'hellö')).toMatchObject({ code: 0 });
    expect(await call('get', 'cli/..')).toEqual({ code: 0, stdout: 'hellö' });
    expect(await call('put', 'cli/..', 'x', '--if-absent')).toMatchObject({ code: 4 });
    expect(await call('ls', '--prefix', 'cli/')).toEqual({ code: 0, stdout: 'cli/..\n' });
    const { stdout } = await call('-o', 'json', 'get', 'cli/..');
    expect(JSON.parse(stdout)).toMatchObject({ key: 'cli/..', version: 1, value: 'hellö' });
    expect(await call('del', 'cli/..')).toMatchObject({ code: 0 });
    expect(await call('get', 'cli/..')).toEqual({ code: 3, stdout: '' });
    expect(await call('put', 'k', '--if-revision', 'x')).toMatchObject({ code: 2 });
    const isHealthy = async (): Promise<boolean> => {
      const { stdout: status } = await call('status', '-o', 'json');
      return (JSON.parse(status) as { health: string }).health === 'healthy';
    };
    // On a busy machine a member may be suspected for a moment.
    await until('the command calls the cluster healthy', isHealthy, { timeoutMs: 30_000 });
  }, 60_000);

  it('balances by another strategy at all gateways, once one of them was told', async () => {
    const [first = '', second = ''] = await cluster.gatewayUrls();
    const isUsed = async (): Promise<boolean> => {
      await fetch(`${second}/v1/kv/balanced?consistency=stale`);
      return (await picksOf(first, 'gateway-2', 'ring-hash')).size > 0;
    };
    expect(await isUsed()).toBe(false);
    await balanceBy(first, 'ring-hash');
    await until('another strategy', isUsed, { timeoutMs: 10_000 });
  }, 30_000);

  it('sends no stale read to a shard that stands still, and brings it back little by little', async () => {
    const [url = ''] = await cluster.gatewayUrls();
    await balanceBy(url, 'round-robin');
    const becomes = (expected: string): Promise<void> =>
      until(`shard-4 is ${expected}`, async () => (await memberOf(url, 'shard-4')).verdict === expected, {
        timeoutMs: 20_000,
      });
    /** What it gets of so many. */
    const shareOf = async (reads: number): Promise<number> => {
      const picks = async () => (await picksOf(url, 'gateway-1', 'round-robin')).get('shard-4') ?? 0;
      const before = await picks();
      const answers = Array.from({ length: reads }, (_, i) => fetch(`${url}/v1/kv/${i}?consistency=stale`));
      for (const { status } of await Promise.all(answers)) expect(status).toBe(404);
      return ((await picks()) - before) / reads;
    };
    await until('a quarter of the reads', async () => (await shareOf(200)) > 0.2, { timeoutMs: 30_000 });
    await cluster.signal('shard-4', 'SIGSTOP');
    try {
      await becomes('suspect');
      expect(await shareOf(200)).toBe(0);
    } finally {
      await cluster.signal('shard-4', 'SIGCONT');
    }
    await becomes('alive');
    expect(await shareOf(200)).toBeLessThan(0.15);
    await until('its whole share', async () => (await shareOf(200)) > 0.2, { timeoutMs: 30_000 });
  }, 120_000);

  it('imports and exports through the two commands, byte for byte', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ringleader-transfer-'));
    const { gatewayUrls } = await cluster.state();
    const lines = Array.from({ length: 3_000 }, (_, i) =>
      JSON.stringify({ key: `transfer/${String(i).padStart(6, '0')}`, value: `line ${i} ↑` }),
    );
    await writeFile(join(folder, 'in'), `${lines.join('\n')}\n`);
    const ringleader = join(workspaceRoot(), 'tools/bootstrap/ringleader.mjs');
    const gateway = ['--gateway', gatewayUrls[1] ?? ''];
    const { stdout } = await run(process.execPath, [ringleader, 'import', join(folder, 'in'), ...gateway]);
    expect(stdout).toContain('3000 keys created, 0 replaced, 0 lines refused');
    await run(process.execPath, [
      ringleader,
      'export',
      '--prefix',
      'transfer/',
      '--output',
      join(folder, 'out'),
      ...gateway,
    ]);
    expect(await readFile(join(folder, 'out'), 'utf8')).toBe(await readFile(join(folder, 'in'), 'utf8'));
    // As a user does it: from a folder of his own, names relative to it, through npm and a pipe.
    const piped = `npm run -s --prefix "$1" ringleader -- export --prefix transfer/ --gateway "$2" --output out.gz && gzip -dc out.gz > out`;
    await run('sh', ['-c', piped, 'sh', workspaceRoot(), gatewayUrls[0] ?? ''], { cwd: folder });
    expect(await readFile(join(folder, 'out'), 'utf8')).toBe(await readFile(join(folder, 'in'), 'utf8'));
    await rm(folder, { recursive: true });
  }, 60_000);
});
