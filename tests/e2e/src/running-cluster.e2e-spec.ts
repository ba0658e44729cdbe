/** A cluster that `npm start` runs, as those meet it who use it: what crashes, what is typed, how it balances. */
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { unprivileged, until, workspaceRoot } from '@ringleader/server-processes';
import { startLocalCluster, type LocalClusterHandle } from '@ringleader/testing-local-cluster';
import { refusedStart, ringleader, run, START_MS } from './commands.js';

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

  it('is refused with programs of PostgreSQL that are not there', async () => {
    const { code, stderr } = await refusedStart('--port', '0', '--ephemeral', '--postgres', 'no/such');
    expect(code).toBe(1);
    expect(stderr).toBe(
      `Ringleader cannot start. PostgreSQL is not in ${resolve('no/such')}, which has no executable initdb: name the folder of its programs with --postgres, as /usr/lib/postgresql/15/bin.`,
    );
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
