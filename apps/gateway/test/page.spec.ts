/** GET / and the files of the page. What it shows is tested in a browser: page.medium-spec.ts */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';
import { problemOf } from './support/http-client.js';

const FOLDER = new URL('../page/', import.meta.url);
const names = readdirSync(FOLDER);
let gateway: GatewayHarness;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${gateway.url}${path}`, { headers });

describe('the page', () => {
  it.each([['/', 'index.html', 'text/html; charset=utf-8'] as const])(
    '%s is %s',
    async (path, name, type) => {
      const answer = await get(path);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
      expect(await answer.text()).toBe(readFileSync(new URL(name, FOLDER), 'utf8'));
    },
  );

  it('takes nothing from elsewhere, runs nothing inline, and stands in nobody’s frame', async () => {
    const { headers } = await get('/');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|http|\*|data:/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    for (const name of names) {
      const text = readFileSync(new URL(name, FOLDER), 'utf8').replaceAll('http://www.w3.org/2000/svg', '');
      expect({ name, foreign: text.match(/https?:\/\/[^\s"']+/g) }).toEqual({ name, foreign: null });
      expect({ name, inline: /\son\w+=|style=|innerHTML/.test(text) }).toEqual({ name, inline: false });
    }
  });

  it('finds all that its parts name', async () => {
    const texts = names.map((name) => readFileSync(new URL(name, FOLDER), 'utf8')).join('\n');
    const absolute = [...texts.matchAll(/"(\/page\/[^"]+)"/g)].map(([, path]) => path ?? '');
    const relative = [...texts.matchAll(/from '\.\/([^']+)'/g)].map(([, name]) => `/page/${name}`);
    for (const path of new Set([...absolute, ...relative])) {
      expect({ path, status: (await get(path)).status }).toEqual({ path, status: 200 });
    }
  });

  it('is not sent again to whoever has it', async () => {
    const tag = (await get('/page/page.js')).headers.get('etag') ?? '';
    expect(tag).toMatch(/^"[\w-]{22}"$/);
    for (const known of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
      expect((await get('/page/page.js', { 'If-None-Match': known })).status).toBe(304);
    }
    expect((await get('/page/page.js', { 'If-None-Match': '"x"' })).status).toBe(200);
  });

  it.each(['/page/', '/page/none.js', '/page/..%2Fpackage.json', '/page/%2e%2e/package.json'])(
    'has no %s',
    async (path) => {
      expect((await problemOf(await get(path))).code).toBe('ROUTE_NOT_FOUND');
    },
  );

  it('has a head, and no parameters', async () => {
    const head = await fetch(gateway.url, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await problemOf(await get('/?x=1'))).code).toBe('INVALID_ARGUMENT');
  });
});
