/** `npm start -- --secure`, as those meet it who call it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { workspaceRoot } from '@ringleader/server-processes';
import { startLocalCluster, type LocalClusterHandle } from '@ringleader/testing-local-cluster';
import { RestClient, type RestAccess } from '@ringleader/testing-workload';

const START_MS = 180_000;
const run = promisify(execFile);

describe('a secure cluster', () => {
  let cluster: LocalClusterHandle;
  let url: string;
  let access: RestAccess;
  beforeAll(async () => {
    cluster = await startLocalCluster({ secure: true });
    [url = ''] = await cluster.gatewayUrls();
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
