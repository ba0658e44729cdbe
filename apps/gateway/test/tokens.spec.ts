/** Tokens from end to end: made, used, limited, revoked; over a coordinator's twin. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import { tokenKey } from '@ringleader/contracts';
import type { Problem, TokenCreated, TokenList } from '@ringleader/contracts';
import { FakeCoordinator } from '@ringleader/coordination/testing';
import { systemClock } from '@ringleader/observability';
import { until } from '@ringleader/testing-servers';
import type { Logger } from '@ringleader/observability';
import { AccessControl } from '../src/access/access.module.js';
import { hashOf } from '../src/access/known-tokens.js';
import { RootTokenFile } from '../src/access/root-token.js';
import { gatewayConfigSchema } from '../src/gateway.config.js';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';
import { problemOf, sendRaw } from './support/http-client.js';
import { ROOT, bearer } from './support/tokens.js';

const WAIT = { timeoutMs: 5_000, everyMs: 10 };

let folder: string;
let rootFile: string;
let coordinator: FakeCoordinator;
let access: AccessControl;
let gateway: GatewayHarness;
let lines: { readonly fields: object; readonly message: string }[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ringleader-access-'));
  rootFile = join(folder, 'root');
  writeFileSync(rootFile, `${ROOT}\n`);
  lines = [];
  const take = (fields: object, message: string): void => void lines.push({ fields, message });
  const logger = { info: take, warn: take, error: take } as unknown as Logger;
  coordinator = new FakeCoordinator();
  const config = loadConfig(gatewayConfigSchema, {
    RINGLEADER_MEMBER: 'gateway-1',
    RINGLEADER_AUTHENTICATION: 'tokens',
    RINGLEADER_ROOT_TOKEN_FILE: rootFile,
    RINGLEADER_DELEGATED_TOKENS_MAX: '5',
  });
  access = new AccessControl(config, coordinator, systemClock, logger);
  gateway = await startGateway({ access });
});
afterEach(async () => {
  access.beforeApplicationShutdown();
  await gateway.close();
  rmSync(folder, { recursive: true });
});

const ask = (path: string, token: string | null, init: RequestInit = {}): Promise<Response> =>
  fetch(`${gateway.url}${path}`, {
    ...init,
    headers: { ...(init.headers as Record<string, string>), ...(token !== null && bearer(token)) },
  });
const put = (path: string, token: string): Promise<Response> =>
  ask(path, token, { method: 'PUT', body: 'v' });
const post = (path: string, token: string, body: object): Promise<Response> =>
  ask(path, token, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' },
  });
const read = { role: 'read', prefix: 'app/' } as const;
const write = { role: 'write', prefix: 'app/' } as const;
const admin = { role: 'admin', prefix: 'app/' } as const;

async function make(asked: object, by = ROOT): Promise<TokenCreated & { token: string }> {
  const answer = await post('/v1/tokens', by, { name: 'ci', ...asked });
  expect(answer.status).toBe(201);
  return (await answer.json()) as TokenCreated & { token: string };
}
/** A request of which the first byte of the body has left, and the rest leaves when it is told to. */
async function withheld(port: number, head: string, body: string): Promise<() => Promise<string>> {
  const socket = connect({ port, host: '127.0.0.1' });
  const answer = text(socket);
  await new Promise((sent) => socket.write(`${head}${body.slice(0, 1)}`, sent));
  // It is read by the time that another one, sent later, is answered.
  await ask('/healthz', null);
  return () => {
    socket.write(body.slice(1));
    return answer;
  };
}
const refusal = async (answer: Promise<Response>): Promise<Problem> => problemOf(await answer);

describe('a token', () => {
  beforeEach(() => access.onApplicationBootstrap());

  it('is told once, and kept as a hash', async () => {
    const made = await make({ grants: [write], description: 'builds' });
    expect(made).toMatchObject({ name: 'ci', grants: [write], expiresAt: null, createdBy: 'root' });
    expect(made.token).toMatch(new RegExp(`^rl_${made.id}_[\\w-]{43}$`));
    const stored = coordinator.items.get(tokenKey(made.id))?.value ?? '';
    const secret = made.token.slice(-43);
    expect(JSON.parse(stored)).toMatchObject({ id: made.id, hash: expect.any(String) as unknown });
    const told = await (await ask('/v1/tokens', ROOT)).text();
    const one = await (await ask(`/v1/tokens/${made.id}`, ROOT)).text();
    for (const text of [stored, told, one]) expect(text).not.toContain(secret);
    for (const text of [told, one]) expect(text).not.toContain('hash');
    expect((JSON.parse(told) as TokenList).items).toEqual([JSON.parse(one)]);
  });

  it('is one of so many under one who administers a prefix, whichever of them made it', async () => {
    const delegate = await make({ grants: [admin] });
    const child = await make({ grants: [{ role: 'admin', prefix: 'app/a/' }] }, delegate.token);
    for (let more = 0; more < 4; more++)
      await make({ grants: [{ role: 'read', prefix: 'app/a/' }] }, child.token);
    // What one has revoked that it was made by, counts on.
    await ask(`/v1/tokens/${child.id}`, delegate.token, { method: 'DELETE' });
    await make({ grants: [read] }, delegate.token);
    const oneMore = { name: 'ci', grants: [read] };
    expect(await refusal(post('/v1/tokens', delegate.token, oneMore))).toMatchObject({
      ...{ code: 'TOO_MANY_TOKENS', status: 409, tokensMax: 5 },
    });
    // Another delegate has as many, and the administrator is not bounded.
    const other = await make({ grants: [admin] });
    const one = await make({ grants: [read] }, other.token);
    const told = await (await ask('/v1/tokens', ROOT)).text();
    expect(told).not.toContain('delegation');
    await ask(`/v1/tokens/${one.id}`, other.token, { method: 'DELETE' });
    const [first] = (JSON.parse(told) as TokenList).items.filter(({ createdBy }) => createdBy === child.id);
    await ask(`/v1/tokens/${first?.id}`, delegate.token, { method: 'DELETE' });
    await make({ grants: [read] }, delegate.token);
  });

  it('is for the keys that it names, by both ways past and through the framework', async () => {
    const writer = (await make({ grants: [write] })).token;
    const reader = (await make({ grants: [read] })).token;
    for (let times = 0; times < 3; times++) {
      expect((await put('/v1/kv/app/x', writer)).ok).toBe(true);
      expect((await ask('/v1/kv/app/x', reader)).status).toBe(200);
      expect((await ask('/v1/kv/app/x?consistency=stale', reader)).status).toBe(200);
      expect(await refusal(put('/v1/kv/app/x', reader))).toMatchObject({
        ...{ code: 'FORBIDDEN', role: 'write', key: 'app/x' },
      });
      expect(await refusal(ask('/v1/kv/ap', reader))).toMatchObject({ code: 'FORBIDDEN', key: 'ap' });
      expect(await refusal(ask('/v1/kv/app/x', reader, { method: 'DELETE' }))).toMatchObject({
        code: 'FORBIDDEN',
      });
    }
    expect((await ask('/v1/kv/app%2Fx', reader, { headers: { 'x-a': 'b' } })).status).toBe(200);
  });

  it('lists what is within one of its grants', async () => {
    const { token } = await make({ grants: [read, { role: 'read', prefix: 'b/' }] });
    await put('/v1/kv/app/x', ROOT);
    const within = ['prefix=app/', 'prefix=app/x', 'start=app/&end=app0', 'prefix=b/', 'start=z&end=a'];
    for (const query of within)
      expect([query, (await ask(`/v1/kv?${query}`, token)).status]).toEqual([query, 200]);
    const without = ['', 'prefix=', 'prefix=ap', 'start=app/', 'end=app/x', 'start=app/&end=b/x'];
    for (const query of without) {
      for (const accept of ['application/json', 'application/x-ndjson']) {
        const answer = ask(`/v1/kv?${query}`, token, { headers: { Accept: accept } });
        expect(await refusal(answer)).toMatchObject({ code: 'FORBIDDEN', role: 'read' });
      }
    }
  });

  it('has a batch refused whole, before anything of it is done', async () => {
    const { token } = await make({ grants: [write, { role: 'read', prefix: 'b/' }] });
    const operations = [
      { op: 'put', key: 'app/1', value: 'x' },
      { op: 'get', key: 'b/1' },
      { op: 'put', key: 'b/1', value: 'x' },
    ];
    expect(await refusal(post('/v1/kv:batch', token, { operations }))).toMatchObject({
      ...{ code: 'FORBIDDEN', role: 'write', key: 'b/1', index: 2 },
    });
    expect((await ask('/v1/kv/app/1', token)).status).toBe(404);
    expect((await post('/v1/kv:batch', token, { operations: operations.slice(0, 2) })).status).toBe(200);
    expect((await ask('/v1/kv/app/1', token)).status).toBe(200);
  });

  it('tells where its own keys are', async () => {
    const { token } = await make({ grants: [read] });
    expect((await ask('/v1/cluster/where?key=app/x', token)).status).toBe(200);
    expect(await refusal(ask('/v1/cluster/where?key=b', token))).toMatchObject({
      code: 'FORBIDDEN',
      key: 'b',
    });
    expect(await refusal(ask('/v1/cluster', token))).toMatchObject({ code: 'FORBIDDEN', prefix: '' });
  });

  it('gives no more than it has', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const chief = await make({ grants: [admin], expiresAt });
    const child = await make({ grants: [{ role: 'admin', prefix: 'app/x/' }] }, chief.token);
    expect(child).toMatchObject({ createdBy: chief.id, expiresAt });
    const tooMuch = [
      { grants: [{ role: 'read', prefix: '' }] },
      { grants: [{ role: 'read', prefix: 'app' }] },
      { grants: [admin, { role: 'read', prefix: 'b/' }] },
      { grants: [admin], expiresAt: '2999-01-01T00:00:00.000Z' },
    ];
    for (const asked of tooMuch) {
      const answer = post('/v1/tokens', chief.token, { name: 'more', ...asked });
      expect(await refusal(answer)).toMatchObject({ code: 'FORBIDDEN' });
    }
    const other = await make({ grants: [{ role: 'read', prefix: 'b/' }] });
    const { items } = (await (await ask('/v1/tokens', chief.token)).json()) as TokenList;
    expect(items.map(({ id }) => id).sort()).toEqual([chief.id, child.id].sort());
    for (const method of ['GET', 'DELETE']) {
      const answer = ask(`/v1/tokens/${other.id}`, chief.token, { method });
      expect(await refusal(answer)).toMatchObject({ code: 'TOKEN_NOT_FOUND', token: other.id });
    }
    const writer = await make({ grants: [{ role: 'write', prefix: '' }] });
    expect(await refusal(ask('/v1/tokens', writer.token))).toMatchObject({
      code: 'FORBIDDEN',
      role: 'admin',
    });
  });

  it('is refused as soon as it is revoked, and what it is told ends', async () => {
    const { token, id } = await make({ grants: [{ role: 'read', prefix: '' }] });
    await put('/v1/kv/x', ROOT);
    expect((await ask('/v1/kv/x', token)).status).toBe(200);
    const events = await ask('/v1/cluster/events', token);
    expect(events.status).toBe(200);
    const ended = events.text().then(
      () => 'ended',
      () => 'cut',
    );
    const later = {
      method: 'DELETE',
      body: '{"at":"noon"}',
      headers: { 'Content-Type': 'application/json' },
    };
    expect(await refusal(ask(`/v1/tokens/${id}`, ROOT, later))).toMatchObject({ field: 'at' });
    expect((await ask('/v1/kv/x', token)).status).toBe(200);
    expect((await ask(`/v1/tokens/${id}`, ROOT, { method: 'DELETE' })).status).toBe(204);
    expect(await ended).toBe('cut');
    for (const path of ['/v1/kv/x', '/v1/kv?prefix=x', '/v1/cluster']) {
      expect(await refusal(ask(path, token))).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'unknown' });
    }
    expect(await refusal(ask(`/v1/tokens/${id}`, ROOT, { method: 'DELETE' }))).toMatchObject({
      code: 'TOKEN_NOT_FOUND',
    });
  });

  describe('that is revoked while the body of a request is on its way', () => {
    const token = { name: 'more', grants: [admin] };
    const batch = { operations: [{ op: 'put', key: 'app/b', value: 'x' }] };
    const json = 'Content-Type: application/json\r\n';
    it.each<[string, { method?: string; path: string; body: string; more?: string }]>([
      ['a plain write', { path: '/v1/kv/app/a', body: 'value' }],
      ['a large one', { path: '/v1/kv/app/l', body: 'v'.repeat(100_000) }],
      [
        'one that may be repeated',
        { path: '/v1/kv/app/i', body: 'value', more: 'Idempotency-Key: once\r\n' },
      ],
      ['a batch', { method: 'POST', path: '/v1/kv:batch', body: JSON.stringify(batch), more: json }],
      ['another token', { method: 'POST', path: '/v1/tokens', body: JSON.stringify(token), more: json }],
    ])('does not get %s done', async (_, { method = 'PUT', path, body, more = '' }) => {
      const made = await make({ grants: [admin] });
      expect((await ask('/v1/kv/app/none', made.token)).status).toBe(404);
      const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}`;
      const length = `Authorization: Bearer ${made.token}\r\nContent-Length: ${body.length}\r\n\r\n`;
      const finish = await withheld(gateway.port, `${head}${length}`, body);
      await ask(`/v1/tokens/${made.id}`, ROOT, { method: 'DELETE' });
      expect(await finish()).toMatch(/^HTTP\/1.1 401 [^]*"reason":"unknown"/);
      expect(((await (await ask('/v1/kv', ROOT)).json()) as { items: object[] }).items).toEqual([]);
      expect(((await (await ask('/v1/tokens', ROOT)).json()) as TokenList).items).toEqual([]);
      const refused = { message: 'Audit', fields: expect.objectContaining({ target: path, status: 401 }) };
      await until('the line', async () => JSON.stringify(lines).includes('"status":401'), WAIT);
      expect(lines).toContainEqual(refused);
    });
  });

  it('makes no other where it is revoked before that is written, whatever this gateway has heard', async () => {
    const { id, token } = await make({ grants: [admin] });
    const txn = coordinator.txn.bind(coordinator);
    coordinator.txn = (request) => {
      coordinator.items.delete(tokenKey(id));
      return txn(request);
    };
    const asked = post('/v1/tokens', token, { name: 'more', grants: [admin] });
    expect(await refusal(asked)).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'unknown' });
    expect([...coordinator.items.keys()]).toEqual([]);
  });

  it('is refused alone where its record cannot be read, and can be revoked', async () => {
    const { id: before, token } = await make({ grants: [admin] });
    const { id, token: unknown } = await make({ grants: [read] });
    coordinator.put([tokenKey(id), JSON.stringify({ id, of: 'a newer version' })]);
    await until('it to be told of', () => access.unreadableTokens === 1, WAIT);
    expect(await refusal(ask('/v1/kv/app/x', unknown))).toMatchObject({ code: 'UNAUTHENTICATED' });
    for (const by of [ROOT, token]) {
      const { items } = (await (await ask('/v1/tokens', by)).json()) as TokenList;
      expect(items.map((one) => one.id)).toEqual([before]);
    }
    await make({ grants: [read] }, token);
    expect((await ask(`/v1/tokens/${id}`, ROOT, { method: 'DELETE' })).status).toBe(204);
    expect(access.unreadableTokens).toBe(0);
    expect((await ask(`/v1/tokens/${id}`, ROOT, { method: 'DELETE' })).status).toBe(404);
  });

  it('expires, and what it is told ends', async () => {
    const expiresAt = new Date(Date.now() + 600).toISOString();
    const { token } = await make({ grants: [{ role: 'read', prefix: '' }], expiresAt });
    expect((await ask('/v1/kv/none', token)).status).toBe(404);
    const events = await ask('/v1/cluster/events', token);
    await expect(events.text()).rejects.toThrow();
    expect(await refusal(ask('/v1/kv/none', token))).toMatchObject({ reason: 'expired' });
    const past = post('/v1/tokens', ROOT, { name: 'x', grants: [read], expiresAt: '2020-01-01T00:00:00Z' });
    expect(await refusal(past)).toMatchObject({ code: 'INVALID_ARGUMENT', field: 'expiresAt' });
  });

  it('is for so many requests a second', async () => {
    const { token } = await make({ grants: [read], requestsPerSecond: 2 });
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask('/v1/kv/app/x', token)));
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThanOrEqual(4);
    expect(limited[0]?.headers.get('retry-after')).toBe('1');
    expect(await problemOf(limited[0]!)).toMatchObject({ code: 'RATE_LIMITED', requestsPerSecond: 2 });
    await until('it to be let in again', async () => (await ask('/v1/kv/app/x', token)).status === 404, {
      ...{ timeoutMs: 5_000, everyMs: 600 },
    });
  });

  it('of a request is one', async () => {
    const { token } = await make({ grants: [read] });
    const twice = `Authorization: Bearer ${token}\r\nauthorization: Bearer ${ROOT}`;
    const head = `GET /v1/kv/app/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${twice}\r\n\r\n`;
    expect((await sendRaw(gateway.port, { chunks: [head] })).text).toContain('"header":"Authorization"');
  });

  it.each([
    ['Bearer', 'malformed'],
    ['Bearer two words', 'malformed'],
    ['Bearer  ', 'malformed'],
    ['Basic dXNlcjpwYXNz', 'missing'],
    ['Bearer rl_abcdefgh1234_short', 'unknown'],
    ['Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.', 'unknown'],
  ])('is none in %j: %s', async (Authorization, reason) => {
    const answer = ask('/v1/kv/app/x', null, { headers: { Authorization } });
    expect(await refusal(answer)).toMatchObject({ code: 'UNAUTHENTICATED', reason });
  });

  it('may have its scheme in any case', async () => {
    const answer = await ask('/v1/kv/app/x', null, { headers: { Authorization: `bEARER   ${ROOT}` } });
    expect(answer.status).toBe(404);
  });

  it('is told in no log and no refusal, and what is administrative or refused is audited', async () => {
    const { token, id } = await make({ grants: [read] });
    const bodies = [await (await put('/v1/kv/app/x', token)).text()];
    bodies.push(await (await ask('/v1/kv/app/x', `${token.slice(0, -1)}!`)).text());
    await ask(`/v1/cluster/events?access_token=${ROOT}`, null);
    await ask(`/v1/cluster/events?x=${token}&a=b`, null);
    await ask(`/v1/tokens/${id}`, ROOT, { method: 'DELETE' });
    bodies.push(await (await ask('/v1/kv/app/x', token)).text());
    await until(
      'the last line',
      async () => lines.filter(({ message }) => message === 'Audit').length === 7,
      WAIT,
    );
    const told = JSON.stringify([lines, bodies, gateway.log]);
    for (const secret of [token.slice(-43, -1), ROOT]) expect(told).not.toContain(secret);
    const audited = lines.filter(({ message }) => message === 'Audit').map(({ fields }) => fields);
    const from = expect.stringMatching(/127\.0\.0\.1$/) as unknown;
    const root = { audit: true, token: 'root', name: 'root', from };
    expect(audited).toEqual([
      { ...root, method: 'POST', target: '/v1/tokens', status: 201 },
      { ...{ audit: true, token: id, name: 'ci', from }, method: 'PUT', target: '/v1/kv/app/x', status: 403 },
      {
        ...{ audit: true, token: null, name: null, from },
        method: 'GET',
        target: '/v1/kv/app/x',
        status: 401,
      },
      ...['access_token=(secret)', 'x=(secret)&a=b'].map((query) => ({
        ...{ audit: true, token: null, name: null, from },
        ...{ method: 'GET', target: `/v1/cluster/events?${query}`, status: 401 },
      })),
      { ...root, method: 'DELETE', target: `/v1/tokens/${id}`, status: 204 },
      {
        ...{ audit: true, token: null, name: null, from },
        method: 'GET',
        target: '/v1/kv/app/x',
        status: 401,
      },
    ]);
  });

  it('of a record that is damaged is not taken, and the others are', async () => {
    const { id, token } = await make({ grants: [read] });
    const other = await make({ grants: [read] });
    coordinator.put([tokenKey(id), '{"id":"x"}']);
    expect(await refusal(ask('/v1/kv/app/x', token))).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect((await ask('/v1/kv/app/x', other.token)).status).toBe(404);
    expect(lines.map(({ message }) => message)).toContain('A token cannot be read');
  });

  it.each([
    [{ name: 'x' }, 'grants'],
    [{ name: 'x', grants: [] }, 'grants'],
    [{ name: 'x', grants: [{ role: 'owner', prefix: '' }] }, 'grants.0.role'],
    [{ name: 'x', grants: [{ role: 'read', prefix: '', suffix: '' }] }, 'grants.0.suffix'],
    [{ name: 'a\nb', grants: [read] }, 'name'],
    [{ name: 'x', grants: [read], expiresAt: 'soon' }, 'expiresAt'],
    [{ name: 'x', grants: [read], requestsPerSecond: 0 }, 'requestsPerSecond'],
    [{ name: 'x', grants: [read], serviceAccount: 'nobody' }, 'serviceAccount'],
  ])('is not made of %j', async (asked, field) => {
    expect(await refusal(post('/v1/tokens', ROOT, asked))).toMatchObject({ code: 'INVALID_ARGUMENT', field });
  });
});

describe('a gateway that has not read the tokens yet', () => {
  it('lets nobody in but the administrator', async () => {
    const { id, token } = { id: 'abcdefgh1234', token: `rl_abcdefgh1234_${'S'.repeat(43)}` };
    coordinator.put([tokenKey(id), '{}']);
    expect(await refusal(ask('/v1/kv/app/x', token))).toMatchObject({ code: 'UNAVAILABLE' });
    expect((await ask('/v1/kv/app/x', token)).headers.get('retry-after')).toBe('1');
    expect((await ask('/v1/kv/app/x', ROOT)).status).toBe(404);
    access.onApplicationBootstrap();
    await until('them to be read', async () => (await ask('/v1/kv/app/x', token)).status === 401, WAIT);
  });
});

describe('the root token', () => {
  const other = 'another-root-token-of-32-characters-or-more';

  it('is the one that the file has at present', async () => {
    const isTaken = async (token: string): Promise<boolean> => (await ask('/v1/kv/x', token)).status === 404;
    expect(await isTaken(ROOT)).toBe(true);
    writeFileSync(rootFile, other);
    await until('the other one', () => isTaken(other), WAIT);
    access.onApplicationBootstrap();
    expect((await ask('/v1/kv/x', ROOT)).status).toBeGreaterThanOrEqual(401);
    rmSync(rootFile);
    await until('none', async () => !(await isTaken(other)), WAIT);
  });

  it('is taken beside the one that takes its place', () => {
    const [next, file] = [`${rootFile}-next`, rootFile];
    const also = [next, `${rootFile}-previous`];
    expect(new RootTokenFile(file, also).hashes).toHaveLength(1);
    writeFileSync(next, other);
    const { hashes } = new RootTokenFile(file, also);
    expect(hashes.map((hash) => hash.equals(hashOf(other)))).toEqual([false, true]);
    rmSync(next);
  });

  it.each([
    ['short', 'short'],
    ['two words', 'a root token of more than thirty-two characters'],
  ])('is not one that is %s', (_, text) => {
    writeFileSync(rootFile, text);
    const config = loadConfig(gatewayConfigSchema, {
      RINGLEADER_MEMBER: 'gateway-1',
      RINGLEADER_AUTHENTICATION: 'tokens',
      RINGLEADER_ROOT_TOKEN_FILE: rootFile,
    });
    const start = (): unknown => new AccessControl(config, coordinator, systemClock, {} as Logger);
    expect(start).toThrow(/RINGLEADER_ROOT_TOKEN_FILE: .*must hold one token/);
    expect(start).not.toThrow(new RegExp(text));
  });
});
