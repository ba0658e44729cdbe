/** `npm start -- --secure`, as those meet it who call it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until, workspaceRoot } from '@ringleader/server-processes';
import { startLocalCluster, type LocalClusterHandle } from '@ringleader/testing-local-cluster';
import { RestClient, type RestAccess } from '@ringleader/testing-workload';

const START_MS = 180_000;
const WAIT = { timeoutMs: 5_000, everyMs: 1 };
const run = promisify(execFile);

describe('a secure cluster', () => {
  let cluster: LocalClusterHandle;
  let url: string;
  let urls: readonly string[];
  let access: RestAccess;
  beforeAll(async () => {
    cluster = await startLocalCluster({ secure: true, gateways: 2 });
    urls = await cluster.gatewayUrls();
    [url = ''] = urls;
    access = (await cluster.access()) ?? {};
  }, START_MS);
  afterAll(() => cluster.dispose(), START_MS);

  const asked = async (how: RestAccess, path: string) => {
    const client = new RestClient(url, 1, how);
    const answer = await client.request('GET', path);
    await client.close();
    return answer;
  };

  it('serves who trusts its authority and shows the token, and nobody else', async () => {
    const client = new RestClient(url, 1, access);
    expect((await client.put('a', 'v')).status).toBe(201);
    expect((await client.get('a')).body.toString()).toBe('v');
    await client.close();
    const { ca = '' } = access;
    expect(await asked({ ca }, '/v1/kv/a')).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
    expect(await asked({ ca, token: `rl_root_${'x'.repeat(43)}` }, '/v1/cluster')).toMatchObject({
      status: 401,
    });
    expect((await asked({ token: access.token ?? '' }, '/v1/kv/a')).code).toMatch(
      /CONNECTION: .*certificate/,
    );
    expect((await asked({ ca }, '/')).headers['content-type']).toMatch(/^text\/html/);
  });

  it('refuses a revoked token at every gateway, soon after', async () => {
    const root = new RestClient(url, 1, access);
    const make = { name: 'short-lived', grants: [{ role: 'read', prefix: 'a' }] };
    const delays = [];
    for (let times = 0; times < 5; times++) {
      const { id, token } = JSON.parse((await root.request('POST', '/v1/tokens', make)).body.toString()) as {
        readonly id: string;
        readonly token: string;
      };
      const clients = urls.map((each) => new RestClient(each, 1, { ...access, token }));
      for (const client of clients) {
        await until('it to be known', async () => (await client.get('a')).status !== 401, WAIT);
      }
      const revoked = root.request('DELETE', `/v1/tokens/${id}`);
      const refused = clients.map(async (client) => {
        await revoked;
        const from = performance.now();
        await until('it to be refused', async () => (await client.get('a')).status === 401, WAIT);
        return performance.now() - from;
      });
      delays.push(...(await Promise.all(refused)));
      for (const client of clients) await client.close();
    }
    await root.close();
    process.stderr.write(`refused after ${delays.map((ms) => Math.round(ms)).join(', ')} ms\n`);
    const [median = Infinity] = delays.sort((a, b) => a - b).slice(delays.length / 2);
    expect(median).toBeLessThan(100);
  });

  it('is healthy for its handle, too', () => cluster.untilHealthy());

  it('is used by the ringleader command with what the start has printed', async () => {
    const { output } = cluster;
    const [, exported = ''] = /^ {2}export (.*)$/m.exec(output) ?? [];
    const variables: Record<string, string> = {};
    for (const text of exported.split(' ')) {
      const [name = '', value = ''] = text.split('=');
      variables[name] = value;
    }
    const ringleader = async (...args: string[]) => {
      const program = [join(workspaceRoot(), 'tools/bootstrap/ringleader.mjs'), ...args];
      const { stdout } = await run(process.execPath, program, { env: { ...process.env, ...variables } });
      return stdout;
    };
    expect(await ringleader('get', 'a')).toBe('v');
    expect(output).not.toContain(access.token);
    const { access: places, natsUrl } = await cluster.state();
    expect(natsUrl).toMatch(/^tls:/);
    expect((await stat(places?.tokenFile ?? '')).mode & 0o777).toBe(0o600);
  });
});
