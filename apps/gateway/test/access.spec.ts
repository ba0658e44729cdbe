/** No handler is reached without an answer from the guard. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { tokenText } from '@ringleader/contracts';
import type { Problem } from '@ringleader/contracts';
import { Access } from '../src/access/access.js';
import { RESOURCES } from '../src/app.module.js';
import { ClusterEvents } from '../src/cluster/cluster-events.js';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness, HarnessOptions } from './support/gateway-harness.js';
import { problemOf } from './support/http-client.js';
import { ROOT, TestTokens, bearer } from './support/tokens.js';

interface Operation {
  readonly security?: readonly object[];
  readonly 'x-ringleader-access'?: { readonly role: string; readonly of: string };
}

const OPEN_PATHS = ['/healthz', '/readyz'];
const WRONG = tokenText('zzzzzzzzzzzz', 'W'.repeat(43));
const PARAMETERS: Readonly<Record<string, string>> = {
  '{key}': 'app%2Fkey',
  '{shard}': 'shard-1',
  '{member}': 'coordinator-1',
  '{token}': 'abcdefghijkl',
};
const BODIES: Readonly<Record<string, object>> = {
  '/v1/kv:batch': { operations: [{ op: 'put', key: 'app/key', value: 'x' }] },
};

const tokens = new TestTokens();
const elsewhere = tokens.add([
  { role: 'admin', prefix: 'elsewhere/' },
  { role: 'write', prefix: 'x/' },
]);
const reader = tokens.add([{ role: 'read', prefix: '' }]);
let gateway: GatewayHarness;
let operations: [name: string, operation: Operation][];

beforeAll(async () => {
  // Who goes away from a stream is noticed when something is said to him.
  const sources = { cluster: () => null, moves: () => null, load: () => null };
  const events = new ClusterEvents({ sources, intervalMs: 20, heartbeatMs: 20 });
  gateway = await startGateway({ authenticator: tokens.authenticator, events });
  const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
});
afterAll(() => gateway.close());

async function call(name: string, headers: Record<string, string>): Promise<Response> {
  const [method = '', path = ''] = name.split(' ');
  const target = path.replace(/\{\w+\}/g, (parameter) => PARAMETERS[parameter] ?? 'x');
  const query = path === '/v1/cluster/where' ? '?key=app/key' : '';
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(method);
  const ended = new AbortController();
  const answer = await fetch(`${gateway.url}${target}${query}`, {
    method,
    headers: { ...headers, ...(hasBody && { 'Content-Type': 'application/json' }) },
    ...(hasBody && { body: JSON.stringify(BODIES[path] ?? {}) }),
    signal: ended.signal,
  });
  if (answer.headers.get('content-type') === 'text/event-stream') ended.abort();
  // An answer that nobody reads keeps its connection, for which the gateway would wait at its end.
  else await answer.arrayBuffer();
  return answer;
}

async function statusOf(path: string, init: RequestInit = {}): Promise<number> {
  const answer = await fetch(`${gateway.url}${path}`, init);
  await answer.arrayBuffer();
  return answer.status;
}

/** Of every operation that is not open to everybody, where it is not `expected`. */
async function unexpected(
  expected: readonly [status: number, challenge: string],
  headers: Record<string, string>,
  isMeant: (operation: Operation) => boolean = () => true,
): Promise<unknown[]> {
  const others = [];
  const asked = operations.filter(
    ([name, operation]) => !OPEN_PATHS.includes(name.split(' ')[1] ?? '') && isMeant(operation),
  );
  expect(asked.length).toBeGreaterThan(10);
  for (const [name] of asked) {
    const { status, headers: got } = await call(name, headers);
    const [wanted, challenge] = expected;
    if (status !== wanted || got.get('www-authenticate') !== challenge) others.push([name, status]);
  }
  return others;
}

describe('every operation of the OpenAPI document', () => {
  it('takes a token', async () => {
    expect(await unexpected([401, 'Bearer realm="ringleader"'], {})).toEqual([]);
  });

  it('takes no token that there is not', async () => {
    const challenge = 'Bearer realm="ringleader", error="invalid_token"';
    expect(await unexpected([401, challenge], bearer(WRONG))).toEqual([]);
  });

  it('takes no token that is for something else', async () => {
    const challenge = 'Bearer realm="ringleader", error="insufficient_scope"';
    const isOfTokens = (operation: Operation): boolean =>
      operation['x-ringleader-access']?.of === 'request' && operation['x-ringleader-access'].role === 'admin';
    expect(
      await unexpected([403, challenge], bearer(elsewhere), (operation) => !isOfTokens(operation)),
    ).toEqual([]);
  });

  it('changes nothing for who may only read', async () => {
    const challenge = 'Bearer realm="ringleader", error="insufficient_scope"';
    const changes = operations.filter(([, operation]) =>
      ['write', 'admin'].includes(operation['x-ringleader-access']?.role ?? ''),
    );
    const isChange = (operation: Operation): boolean => changes.some(([, change]) => change === operation);
    expect(await unexpected([403, challenge], bearer(reader), isChange)).toEqual([]);
    expect((await call('POST /v1/kv:batch', bearer(reader))).status).toBe(403);
    expect(await statusOf('/v1/kv/app/key', { headers: bearer(ROOT) })).toBe(404);
  });

  it('is there for the administrator', async () => {
    const refused = [];
    for (const [name] of operations) {
      const { status } = await call(name, bearer(ROOT));
      if (status === 401 || status === 403) refused.push(name);
    }
    expect(refused).toEqual([]);
  });

  it('says so', () => {
    for (const [name, operation] of operations) {
      const isOpen = OPEN_PATHS.includes(name.split(' ')[1] ?? '');
      expect([name, operation.security]).toEqual([name, isOpen ? undefined : [{ token: [] }]]);
    }
  });
});

it.each(['/', '/page/page.js', '/docs', '/openapi.json', '/healthz', '/readyz', '/none'])(
  'GET %s takes none',
  async (path) => {
    expect([200, 404]).toContain(await statusOf(path));
  },
);

it.each([
  ['GET', '/v1/none'],
  ['OPTIONS', '/v1/kv'],
  ['POST', '/v1/kv/app'],
])('%s %s, which there is not, takes one, too', async (method, path) => {
  expect(await statusOf(path, { method })).toBe(401);
  expect(await statusOf(path, { method, headers: bearer(reader) })).not.toBe(401);
});

it.each([0, 1])('a stream of a ServiceAccount ends with its record %i', async (which) => {
  const accounts = new TestTokens({
    mayKnow: () => true,
    review: () => Promise.resolve({ serviceAccount: 'apps/ci', untilMs: Infinity }),
  });
  const records = ['', 'x/'].map((prefix) =>
    accounts.add([{ role: 'read', prefix }], { serviceAccount: 'apps/ci' }),
  );
  const other = await startGateway({ authenticator: accounts.authenticator });
  try {
    const events = await fetch(`${other.url}/v1/cluster/events`, { headers: bearer('a.b.c') });
    expect(events.status).toBe(200);
    const ended = events.text().catch(() => 'cut');
    other.guard.revoke([records[which]?.split('_')[1] ?? '']);
    expect(await ended).toBe('cut');
  } finally {
    await other.close();
  }
});

describe('a handler', () => {
  let other: GatewayHarness | null = null;
  afterEach(() => other?.close());
  const start = async (options: HarnessOptions): Promise<GatewayHarness> =>
    (other = await startGateway(options));

  it('is not served that declares no access', async () => {
    @Controller('v1')
    class Careless {
      @Get('careless')
      careless(): object {
        return {};
      }
    }
    await expect(start({ resources: [...RESOURCES, Careless] })).rejects.toThrow(
      /careless declares no access/,
    );
  });

  it('gives no answer that has not asked what its caller may', async () => {
    @Controller('v1')
    class Forgetful {
      @Access({ kind: 'request', role: 'read' })
      @Get('forgetful')
      forgetful(): object {
        return { secret: 1 };
      }
    }
    const { url, log } = await start({
      resources: [...RESOURCES, Forgetful],
      authenticator: tokens.authenticator,
    });
    const answer = await fetch(`${url}/v1/forgetful`, { headers: bearer(reader) });
    const problem: Problem = await problemOf(answer);
    expect(problem.code).toBe('INTERNAL');
    expect(log.join()).toContain('without asking what its caller may');
  });
});
