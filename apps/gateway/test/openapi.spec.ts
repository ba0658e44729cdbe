/** The OpenAPI document is complete, hangs together, and can be browsed without the internet. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ERROR_CATALOGUE, PROBLEM_MEDIA_TYPE } from '@ringleader/contracts';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly requestBody?: { readonly required: boolean; readonly content: Record<string, unknown> };
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly description: string;
    readonly schema?: { readonly pattern?: string };
  }[];
  readonly responses: Record<
    string,
    {
      readonly content?: Record<string, unknown>;
      readonly headers?: Record<string, unknown>;
      readonly description: string;
    }
  >;
}
interface ObjectSchema {
  readonly properties: Record<string, unknown>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, unknown> };
}

let gateway: GatewayHarness;
let document: Document;
beforeAll(async () => {
  gateway = await startGateway();
  document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as Document;
});
afterAll(() => gateway.close());

const operation = (path: string, method: string): Operation => document.paths[path]?.[method] as Operation;
const parametersOf = ({ parameters }: Operation, where: string): string[] =>
  parameters
    .filter((parameter) => parameter.in === where)
    .map(({ name }) => name)
    .sort();

describe('/openapi.json', () => {
  it('has every resource with its methods', () => {
    const methods = Object.entries(document.paths).map(([path, item]) => [path, Object.keys(item).sort()]);
    expect(Object.fromEntries(methods)).toEqual({
      '/v1/kv/{key}': ['delete', 'get', 'head', 'put'],
      '/v1/kv': ['get', 'head'],
      '/v1/kv:batch': ['post'],
      '/v1/tokens': ['get', 'head', 'post'],
      '/v1/tokens/{token}': ['delete', 'get', 'head'],
      '/v1/cluster': ['get', 'head'],
      '/v1/cluster/settings': ['get', 'head', 'patch'],
      '/v1/cluster/coordinator/members': ['get', 'head', 'post'],
      '/v1/cluster/coordinator/members/{member}': ['delete', 'post'],
      '/v1/cluster/coordinator/hash': ['get', 'head'],
      '/v1/cluster/coordinator/snapshot': ['get', 'head'],
      '/v1/cluster/coordinator:compact': ['post'],
      '/v1/cluster/coordinator:transfer-leader': ['post'],
      '/v1/cluster:verify': ['post'],
      '/v1/cluster/verification': ['get', 'head'],
      '/v1/cluster/shards': ['get', 'head'],
      '/v1/cluster/shards/{shard}': ['delete', 'get', 'head', 'patch', 'post'],
      '/v1/cluster/plan': ['get', 'head', 'patch'],
      '/v1/cluster/plan:dry-run': ['post'],
      '/v1/cluster/moves': ['get', 'head'],
      '/v1/cluster/moves:pause': ['post'],
      '/v1/cluster/moves:resume': ['post'],
      '/v1/cluster/moves:cancel': ['post'],
      '/v1/cluster/where': ['get', 'head'],
      '/v1/cluster/partitions': ['get', 'head'],
      '/v1/cluster/partitions:recover': ['post'],
      '/v1/cluster/load': ['get', 'head'],
      '/v1/cluster/incidents': ['get', 'head'],
      '/v1/cluster/events': ['get', 'head'],
      '/healthz': ['get', 'head'],
      '/readyz': ['get', 'head'],
    });
  });

  it('has every parameter and header', () => {
    expect(parametersOf(operation('/v1/kv', 'get'), 'query')).toEqual(
      [
        'consistency',
        'cursor',
        'end',
        'keysOnly',
        'limit',
        'maxStalenessMs',
        'prefix',
        'reverse',
        'start',
      ].sort(),
    );
    expect(parametersOf(operation('/v1/kv/{key}', 'put'), 'header')).toEqual(
      ['Idempotency-Key', 'If-Match', 'If-None-Match', 'Ringleader-Timeout-Ms'].sort(),
    );
    expect(parametersOf(operation('/v1/kv/{key}', 'get'), 'query')).toEqual([
      'consistency',
      'maxStalenessMs',
    ]);
    expect(parametersOf(operation('/v1/kv/{key}', 'get'), 'header')).toEqual(
      [
        'If-Match',
        'If-Modified-Since',
        'If-None-Match',
        'If-Unmodified-Since',
        'Ringleader-Timeout-Ms',
      ].sort(),
    );
    expect(parametersOf(operation('/v1/kv/{key}', 'get'), 'path')).toEqual(['key']);
  });

  it('says which names there are to fill in', () => {
    const patternOf = (path: string, method: string, name: string): RegExp =>
      new RegExp(
        operation(path, method).parameters.find((parameter) => parameter.name === name)?.schema?.pattern ??
          '$.',
      );
    const member = '/v1/cluster/coordinator/members/{member}';
    expect(patternOf(member, 'delete', 'member').test('coordinator-4')).toBe(true);
    expect(patternOf(member, 'delete', 'member').test('shard-1')).toBe(false);
    expect(patternOf(member, 'post', 'member').test('coordinator-4:replace')).toBe(true);
    expect(patternOf(member, 'post', 'member').test('coordinator-4')).toBe(false);
    expect(patternOf('/v1/cluster/shards/{shard}', 'post', 'shard').test('shard-3:drain')).toBe(true);
    expect(patternOf('/v1/cluster/shards/{shard}', 'post', 'shard').test('shard-3:destroy')).toBe(false);
    expect(patternOf('/v1/cluster/coordinator/snapshot', 'get', 'from').test('coordinator-1')).toBe(true);
    const { name } = (document.components.schemas['MemberRequest'] as ObjectSchema).properties;
    expect(name).toMatchObject({ pattern: '^coordinator-([1-9])$' });
    const { limits } = (document.components.schemas['PlanPatch'] as ObjectSchema).properties;
    expect(limits).toMatchObject({ minProperties: 1 });
  });

  it('has every error with its status, as a problem document', () => {
    const put = operation('/v1/kv/{key}', 'put').responses;
    for (const code of [
      'PRECONDITION_FAILED',
      'VALUE_TOO_LARGE',
      'OUTCOME_UNKNOWN',
      'UNAVAILABLE',
      'RATE_LIMITED',
    ] as const) {
      const response = put[String(ERROR_CATALOGUE[code].httpStatus)];
      expect(response?.description).toContain(code);
      expect(Object.keys(response?.content ?? {})).toEqual([PROBLEM_MEDIA_TYPE]);
    }
  });

  it('has the headers of what is no success, too', () => {
    const headersOf = (path: string, method: string, status: string): string[] =>
      Object.keys(operation(path, method).responses[status]?.headers ?? {}).sort();
    const byReplica = ['Ringleader-Served-By', 'Ringleader-Staleness-Ms'];
    for (const method of ['get', 'head']) {
      expect(headersOf('/v1/kv/{key}', method, '304')).toEqual(headersOf('/v1/kv/{key}', method, '200'));
      expect(headersOf('/v1/kv/{key}', method, '404')).toEqual(byReplica);
      expect(headersOf('/v1/kv/{key}', method, '412')).toEqual(byReplica);
      expect(headersOf('/v1/cluster/settings', method, '304')).toEqual(['ETag']);
    }
    expect(headersOf('/v1/kv/{key}', 'put', '412')).toEqual(['Ringleader-Served-By']);
    expect(headersOf('/v1/kv/{key}', 'delete', '404')).toEqual(['Ringleader-Served-By']);
    expect(headersOf('/v1/kv/{key}', 'put', '415')).toEqual(['Accept-Encoding']);
    expect(headersOf('/v1/cluster/settings', 'patch', '412')).toEqual([]);
  });

  it('says of all that changes something that its body can be refused', () => {
    const refused = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([method]) => !['get', 'head'].includes(method))
        .map(([method, { responses }]) => [method, path, '413' in responses, '415' in responses]),
    );
    expect(refused.length).toBeGreaterThan(15);
    expect(refused.filter(([, , large, type]) => large !== true || type !== true)).toEqual([]);
  });

  it('has a schema for every reference', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    const known = Object.keys(document.components.schemas);
    expect(references.length).toBeGreaterThan(10);
    expect(
      [...new Set(references.map(([, name]) => name as string))].filter((name) => !known.includes(name)),
    ).toEqual([]);
    expect(JSON.stringify(document)).not.toContain('$schema');
  });

  it('says what a body is', () => {
    const put = operation('/v1/kv/{key}', 'put').requestBody?.content ?? {};
    expect(Object.keys(put)).toEqual(['text/plain', 'application/octet-stream', '*/*']);
    const batch = operation('/v1/kv:batch', 'post').requestBody;
    expect(batch).toMatchObject({
      required: true,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/BatchRequest' } } },
    });
    for (const item of Object.values(document.paths)) {
      for (const [method, { requestBody }] of Object.entries(item)) {
        if (requestBody !== undefined) expect(['patch', 'put', 'post']).toContain(method);
        if (requestBody !== undefined) expect(['put', 'post', 'patch']).toContain(method);
      }
    }
  });

  it('shows every operation once', () => {
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
    for (const { tags } of operations) expect(tags).toHaveLength(1);
  });

  it('gives every operation a name of its own and a summary', () => {
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { summary } of operations) expect(summary).toMatch(/\w+/);
    expect(document.openapi).toBe('3.1.0');
  });
});

describe('/docs', () => {
  it('shows it with files of our own alone', async () => {
    const page = await fetch(`${gateway.url}/docs`);
    const html = await page.text();
    expect([page.status, html]).toEqual([200, expect.stringContaining('Ringleader API')]);
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path as string);
    expect(assets.length).toBeGreaterThanOrEqual(4);
    for (const asset of assets) {
      expect(asset).not.toMatch(/^(https?:)?\/\//);
      const answer = await fetch(new URL(asset, `${gateway.url}/docs`));
      expect([asset, answer.status, (await answer.arrayBuffer()).byteLength > 0]).toEqual([asset, 200, true]);
    }
  });

  it.each(['', '/swagger-ui.css', '/swagger-ui-bundle.js', '/swagger-ui-init.js'])(
    'is served as all else is: /docs%s',
    async (name) => {
      const url = `${gateway.url}/docs${name}`;
      const whole = await fetch(url, { headers: { Range: 'bytes=0-9' } });
      expect([whole.status, whole.headers.get('cache-control')]).toEqual([200, 'no-cache']);
      expect(whole.headers.has('accept-ranges')).toBe(false);
      expect(whole.headers.get('x-content-type-options')).toBe('nosniff');
      expect(whole.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect((await whole.arrayBuffer()).byteLength).toBeGreaterThan(10);
      const headers = { 'If-None-Match': whole.headers.get('etag') ?? '' };
      expect((await fetch(url, { headers })).status).toBe(304);
      const options = await fetch(url, { method: 'OPTIONS' });
      expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
      expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    },
  );

  it.each(['/package.json', '/README.md', '/swagger-ui-bundle.js.map', '/index.html', '/'])(
    'has nothing else: /docs%s',
    async (name) => {
      const answer = await fetch(`${gateway.url}/docs${name}`);
      expect(((await answer.json()) as { code: string }).code).toBe('ROUTE_NOT_FOUND');
    },
  );
});
