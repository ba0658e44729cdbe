/** /v1/cluster/settings, and gateways that follow them. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TargetLoads } from '@ringleader/balancer';
import { SETTINGS_KEY } from '@ringleader/contracts';
import { FakeCoordinator } from '@ringleader/coordination/testing';
import { systemClock } from '@ringleader/observability';
import { seededPrng } from '@ringleader/primitives';
import type { Coordination, ServiceLogger } from '@ringleader/service-host';
import { until } from '@ringleader/testing-servers';
import { SettingsFollower } from '../src/cluster/settings.js';
import { ReplicaPicker } from '../src/routing/replica-picker.js';
import { ShardDirectory } from '../src/routing/shard-directory.js';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';
import { problemOf } from './support/http-client.js';

const PATCH_TYPE = 'application/merge-patch+json';
let coordinator: FakeCoordinator;
let gateway: GatewayHarness;
const settings = (init?: RequestInit): Promise<Response> => fetch(`${gateway.url}/v1/cluster/settings`, init);
const patch = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  settings({
    method: 'PATCH',
    body: JSON.stringify(body),
    headers: { 'Content-Type': PATCH_TYPE, ...headers },
  });
const byStrategy = (strategy: string | null): object => ({ balancer: { strategy } });

describe('/v1/cluster/settings', () => {
  beforeEach(async () => {
    coordinator = new FakeCoordinator();
    gateway = await startGateway({ coordination: coordinator as unknown as Partial<Coordination> });
  });
  afterEach(() => gateway.close());

  it('is empty until something is set', async () => {
    const answer = await settings();
    expect([answer.status, answer.headers.get('etag'), await answer.json()]).toEqual([200, '"0"', {}]);
  });

  it('takes a merge patch, and keeps what that does not name', async () => {
    coordinator.put([SETTINGS_KEY, '{"later":{"than":"this version"}}']);
    const answer = await patch(byStrategy('ring-hash'));
    const expected = { later: { than: 'this version' }, balancer: { strategy: 'ring-hash' } };
    expect([answer.status, answer.headers.get('etag'), await answer.json()]).toEqual([200, '"2"', expected]);
    expect(await (await settings()).json()).toEqual(expected);
    expect(await (await patch(byStrategy(null))).json()).toEqual({ later: expected.later, balancer: {} });
    expect(await (await patch({ balancer: null }, { 'Content-Type': 'application/json' })).json()).toEqual({
      later: expected.later,
    });
  });

  it.each(['GET', 'HEAD'])('is not given anew to whoever has it, by %s', async (method) => {
    await patch(byStrategy('random'));
    const status = async (tag: string): Promise<unknown[]> => {
      const answer = await settings({ method, headers: { 'If-None-Match': tag } });
      return [answer.status, answer.headers.get('etag'), (await answer.text()) === ''];
    };
    for (const tag of ['"1"', 'W/"1"', '"x", "1"', '*'])
      expect(await status(tag)).toEqual([304, '"1"', true]);
    expect(await status('"0"')).toEqual([200, '"1"', method === 'HEAD']);
  });

  it('compares its revision with If-Match', async () => {
    expect((await patch(byStrategy('random'), { 'If-Match': '"0"' })).status).toBe(200);
    const refused = await patch(byStrategy('ring-hash'), { 'If-Match': '"0"' });
    expect(await problemOf(refused)).toMatchObject({ status: 412, code: 'PRECONDITION_FAILED', revision: 1 });
    expect((await patch(byStrategy('ring-hash'), { 'If-Match': '"1"' })).status).toBe(200);
  });

  it.each(['application/json;', 'application/json; ; charset=utf-8;'])('may be %s', async (type) => {
    expect((await patch(byStrategy('random'), { 'Content-Type': type })).status).toBe(200);
  });

  it('is not done once where somebody names it, which is refused', async () => {
    const named = await patch(byStrategy('random'), { 'Idempotency-Key': 'once' });
    expect(await problemOf(named)).toMatchObject({ code: 'INVALID_ARGUMENT', header: 'Idempotency-Key' });
    expect(await (await settings()).json()).toEqual({});
    expect((await settings({ headers: { 'Idempotency-Key': 'once' } })).status).toBe(200);
  });

  it('says what is too large', async () => {
    const problem = await problemOf(await patch({ balancer: ' '.repeat(1_048_576) }));
    expect(problem).toMatchObject({ status: 413, code: 'REQUEST_TOO_LARGE', bytesMax: 1_048_576 });
  });

  it('begins again when somebody else was faster', async () => {
    const { txn } = coordinator;
    coordinator.txn = (request) => {
      coordinator.txn = txn;
      coordinator.put([SETTINGS_KEY, '{"balancer":{"strategy":"random"},"other":1}']);
      return txn.call(coordinator, request);
    };
    expect(await (await patch(byStrategy('ring-hash'))).json()).toEqual({
      balancer: { strategy: 'ring-hash' },
      other: 1,
    });
  });

  it.each([
    [byStrategy('fastest'), {}, { status: 400, field: 'balancer.strategy' }],
    [{ balance: {} }, {}, { status: 400, field: 'balance' }],
    [{ balancer: 'random' }, {}, { status: 400, field: 'balancer' }],
    [{}, { 'If-Match': '*' }, { status: 400, header: 'If-Match' }],
    [{}, { 'If-None-Match': '"1"' }, { status: 400, header: 'If-None-Match' }],
    [{}, { 'Content-Type': 'text/plain' }, { code: 'UNSUPPORTED_MEDIA_TYPE', contentType: 'text/plain' }],
  ])('refuses %j with %j', async (body, headers, problem) => {
    expect(await problemOf(await patch(body, headers))).toMatchObject(problem);
    expect(coordinator.items.size).toBe(0);
  });

  it('says so when the coordinators cannot be reached', async () => {
    coordinator.failNext('range', 'UNAVAILABLE');
    expect(await problemOf(await settings())).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
  });
});

describe('a gateway', () => {
  it('balances as the settings say, and as it was configured where they say nothing', async () => {
    coordinator = new FakeCoordinator();
    const replicas = new ReplicaPicker({
      ...{ strategy: 'random', slowStartMs: 0, prng: seededPrng(1) },
      ...{ shards: new ShardDirectory(), loads: new TargetLoads() },
    });
    const warnings: string[] = [];
    const logger = { info: () => undefined, warn: (_: unknown, text: string) => warnings.push(text) };
    const follower = new SettingsFollower(
      coordinator,
      systemClock,
      logger as unknown as ServiceLogger,
      replicas,
    );
    follower.onApplicationBootstrap();
    const becomes = (strategy: string): Promise<void> =>
      until(strategy, () => replicas.strategy === strategy, { timeoutMs: 5_000, everyMs: 2 });
    coordinator.put([SETTINGS_KEY, JSON.stringify(byStrategy('ring-hash'))]);
    await becomes('ring-hash');
    // Of a version to come.
    coordinator.put([SETTINGS_KEY, JSON.stringify(byStrategy('telepathy'))]);
    await until('a warning', () => warnings.length > 0, { timeoutMs: 5_000, everyMs: 2 });
    expect(replicas.strategy).toBe('ring-hash');
    coordinator.remove(SETTINGS_KEY);
    await becomes('random');
    follower.beforeApplicationShutdown();
  });
});
