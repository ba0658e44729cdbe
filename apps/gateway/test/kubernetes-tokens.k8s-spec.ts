/**
 * Tokens of ServiceAccounts, judged by a real API server: the one that KUBECONFIG names, by `kubectl`. Everything is made in
 * a namespace of its own, and removed.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '@ringleader/observability';
import { KubernetesTokens } from '../src/access/kubernetes-tokens.js';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';
import { TestTokens, bearer } from './support/tokens.js';

const run = promisify(execFile);
const NAMESPACE = `ringleader-tokens-${randomBytes(3).toString('hex')}`;
const BINDING = `${NAMESPACE}-reviewer`;
const kubectl = async (...args: string[]): Promise<string> => (await run('kubectl', args)).stdout.trim();
const tokenOf = (account: string, ...more: string[]): Promise<string> =>
  kubectl('create', 'token', account, '-n', NAMESPACE, '--duration', '10m', ...more);

interface KubeConfig {
  readonly clusters: readonly { readonly cluster: Record<'server' | 'certificate-authority-data', string> }[];
}

describe('a ServiceAccount’s token', () => {
  let folder: string;
  let tokens: TestTokens;
  let reviewer: KubernetesTokens;
  let gateway: GatewayHarness;
  let reviews = 0;

  beforeAll(async () => {
    await kubectl('create', 'namespace', NAMESPACE);
    for (const account of ['gateway', 'app', 'other']) {
      await kubectl('create', 'serviceaccount', account, '-n', NAMESPACE);
    }
    const subject = `--serviceaccount=${NAMESPACE}:gateway`;
    await kubectl('create', 'clusterrolebinding', BINDING, '--clusterrole=system:auth-delegator', subject);
    const config = JSON.parse(
      await kubectl('config', 'view', '--raw', '--minify', '-o', 'json'),
    ) as KubeConfig;
    const { server, 'certificate-authority-data': ca } = config.clusters[0]!.cluster;
    folder = mkdtempSync(join(tmpdir(), 'ringleader-review-'));
    const [caFile, tokenFile] = [join(folder, 'ca.crt'), join(folder, 'token')];
    writeFileSync(caFile, Buffer.from(ca, 'base64'));
    writeFileSync(tokenFile, await tokenOf('gateway'));
    const { hostname: host, port } = new URL(server);
    reviewer = new KubernetesTokens({
      apiServer: { host, port: Number(port), caFile, tokenFile },
      clock: systemClock,
      isGranted: (account) => tokens.known.callerOfAccount(account, Date.now()) !== null,
    });
    tokens = new TestTokens({
      mayKnow: (token) => reviewer.mayKnow(token),
      review: (token) => {
        reviews += 1;
        return reviewer.review(token);
      },
    });
    tokens.add([{ role: 'write', prefix: 'app/' }], { serviceAccount: `${NAMESPACE}/app` });
    gateway = await startGateway({ authenticator: tokens.authenticator });
  });
  afterAll(async () => {
    await gateway?.close();
    reviewer?.close();
    await kubectl('delete', 'clusterrolebinding', BINDING, '--ignore-not-found');
    await kubectl('delete', 'namespace', NAMESPACE, '--wait=false', '--ignore-not-found');
    rmSync(folder, { recursive: true, force: true });
  });

  const put = (token: string, key: string): Promise<Response> =>
    fetch(`${gateway.url}/v1/kv/${key}`, { method: 'PUT', body: 'v', headers: bearer(token) });

  it('may what its account is granted, and is judged once for many requests', async () => {
    const token = await tokenOf('app', '--audience', 'ringleader');
    const before = reviews;
    const statuses = [];
    for (const key of ['app/1', 'app/2', 'app/3', 'b/1']) statuses.push((await put(token, key)).status);
    expect(statuses).toEqual([201, 201, 201, 403]);
    expect(reviews - before).toBe(1);
  });

  it('is refused where it is for somebody else, of an account without grants, or forged; nobody is asked then', async () => {
    const elsewhere = await tokenOf('app');
    const other = await tokenOf('other', '--audience', 'ringleader');
    const before = reviews;
    for (const token of [elsewhere, other]) expect((await put(token, 'app/1')).status).toBe(401);
    expect(reviews - before).toBe(0);
    const genuine = await tokenOf('app', '--audience', 'ringleader');
    const forged = `${genuine.slice(0, genuine.lastIndexOf('.'))}.${'A'.repeat(342)}`;
    for (let times = 0; times < 3; times++) expect((await put(forged, 'app/1')).status).toBe(401);
    expect(reviews - before).toBe(1);
  });

  it('is refused once nothing is granted to the account any more', async () => {
    const token = await tokenOf('app', '--audience', 'ringleader');
    expect((await put(token, 'app/1')).ok).toBe(true);
    tokens.remove('rl_aaaaaaaaaaa1_');
    expect((await put(token, 'app/1')).status).toBe(401);
    tokens.add([{ role: 'write', prefix: 'app/' }], { serviceAccount: `${NAMESPACE}/app` });
  });

  it('is not taken while the gateway may not ask, or nobody answers', async () => {
    const token = await tokenOf('app', '--audience', 'ringleader');
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'nobody');
    const answer = await put(token, 'app/1');
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, 'UNAVAILABLE']);
    writeFileSync(tokenFile, await tokenOf('gateway'));
    expect((await put(token, 'app/1')).ok).toBe(true);
  });
});
