/** The same gateway behind TLS: what clients see of HTTP does not change, and the certificate does while it runs. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { createAuthority, issue } from '@ringleader/certificates';
import type { Authority, CertifiedKey } from '@ringleader/certificates';
import type { Written } from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import { gatewayConfigSchema } from '../src/gateway.config.js';
import { serverTls } from '../src/http/tls.js';
import type { ServerTls } from '../src/http/tls.js';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';
import { answersIn, problemOf, sendRaw } from './support/http-client.js';
import type { RawOptions } from './support/http-client.js';

const DAY_MS = 86_400_000;
const WAIT = { timeoutMs: 10_000, everyMs: 10 };
const usual = getCACertificates('default');

let dir: string;
let authority: Authority;
let gateway: GatewayHarness;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-https-'));
  authority = await createAuthority({ commonName: 'test', notBeforeMs: Date.now(), validForMs: DAY_MS });
  // For fetch, which takes none of its own.
  setDefaultCACertificates([authority.certificatePem]);
  gateway = await startGateway({
    tls: await exchange(await certificate(1)),
    timings: { headersTimeoutMs: 500 },
  });
});
afterAll(async () => {
  setDefaultCACertificates(usual);
  await gateway.close();
  await rm(dir, { recursive: true, force: true });
});

const certificate = (days: number): Promise<CertifiedKey> =>
  issue(authority, {
    commonName: `for ${days} days`,
    dnsNames: ['localhost'],
    addresses: ['127.0.0.1'],
    usages: ['server'],
    notBeforeMs: Date.now(),
    validForMs: days * DAY_MS,
  });

let generation = 0;
/** As Kubernetes does it: files in a new folder, and the link to the folder exchanged. */
async function exchange({ certificatePem, keyPem }: CertifiedKey): Promise<ServerTls> {
  const folder = `..${++generation}`;
  await mkdir(join(dir, folder));
  await writeFile(join(dir, folder, 'tls.crt'), certificatePem);
  await writeFile(join(dir, folder, 'tls.key'), keyPem);
  await symlink(folder, join(dir, '..data_tmp'));
  await rename(join(dir, '..data_tmp'), join(dir, '..data'));
  for (const name of ['tls.crt', 'tls.key']) {
    if (generation === 1) await symlink(join('..data', name), join(dir, name));
  }
  return serverTls(filesIn(dir))!;
}

const filesIn = (folder: string, { cert = 'tls.crt', key = 'tls.key' } = {}) => ({
  RINGLEADER_HTTP_TLS_CERT_FILE: join(folder, cert),
  RINGLEADER_HTTP_TLS_KEY_FILE: join(folder, key),
});

const send = (options: RawOptions) =>
  sendRaw(gateway.port, { tls: { ca: authority.certificatePem }, waitMs: 30_000, ...options });

async function handshake(options: ConnectionOptions = {}) {
  const socket = connect({ port: gateway.port, host: '127.0.0.1', ca: authority.certificatePem, ...options });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  const found = { CN, protocol: socket.getProtocol() };
  socket.destroy();
  return found;
}

describe('a client of HTTPS', () => {
  it('writes, reads, lists and deletes, by the short way and by the framework', async () => {
    const key = `${gateway.url}/v1/kv/a`;
    const put = await fetch(key, { method: 'PUT', body: 'v' });
    expect([put.status, ((await put.json()) as Written).key]).toEqual([201, 'a']);
    expect(await (await fetch(key)).text()).toBe('v');
    const operations = [{ op: 'put', key: 'b', value: 'w' }];
    const batch = await fetch(`${gateway.url}/v1/kv:batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ operations }),
    });
    expect(batch.status).toBe(200);
    const list = (await (await fetch(`${gateway.url}/v1/kv`)).json()) as { items: { key: string }[] };
    expect(list.items.map((item) => item.key)).toEqual(['a', 'b']);
    expect((await fetch(key, { method: 'DELETE' })).status).toBe(204);
    expect((await problemOf(await fetch(key))).code).toBe('KEY_NOT_FOUND');
    expect((await fetch(`${gateway.url}/`)).headers.get('content-type')).toMatch(/^text\/html/);
    expect((await fetch(`${gateway.url}/v1/cluster`)).status).toBe(200);
  });

  it('gets answers in order, also behind the end of what it has to say, and to a large body', async () => {
    const large = 'x'.repeat(900_000);
    const requests = [
      `PUT /v1/kv/c HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${large.length}\r\n\r\n${large}`,
      'GET /v1/kv/c HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'DELETE /v1/kv/c HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET /v1/kv/c HTTP/1.1\r\nHost: localhost\r\n\r\n',
    ];
    const { text } = await send({ chunks: [requests.join('')], end: true });
    const answers = answersIn(text);
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 204, 404]);
    expect(answers[1]?.body.length).toBe(large.length);
  });

  it('is invited to send its body, and told what was wrong', async () => {
    const head = 'PUT /v1/kv/d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n';
    const invited = await send({ chunks: [`${head}Expect: 100-continue\r\n\r\n`, 'x'] });
    expect(invited.text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
    expect((await send({ chunks: ['nonsense\r\n\r\n'] })).status).toBe(400);
    expect((await send({ chunks: ['CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n'] })).status).toBe(405);
    const elsewhere = 'GET /v1/cluster HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n';
    expect((await send({ chunks: [elsewhere] })).status).toBe(421);
    expect((await send({ chunks: ['GET / HTTP/1.1\r\n'] })).status).toBe(408);
  });

  it('has TLS 1.2 or 1.3', async () => {
    expect(await handshake({ maxVersion: 'TLSv1.2' })).toMatchObject({ protocol: 'TLSv1.2' });
    expect(await handshake()).toMatchObject({ protocol: 'TLSv1.3' });
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(handshake(old)).rejects.toThrow(/protocol version/);
  });
});

describe('whoever does not speak TLS to the port', () => {
  it.each([
    ['whole', ['GET /v1/cluster HTTP/1.1\r\nHost: localhost\r\n\r\n']],
    [
      'with a body',
      ['PUT /v1/kv/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n', 'x'.repeat(1e6)],
    ],
    ['in pieces', ['GET', ' / HTTP/1.1\r\n']],
  ])('is told to, in HTTP: %s', async (_, chunks) => {
    const { text } = await sendRaw(gateway.port, { chunks });
    const [answer] = answersIn(text);
    expect(answer?.status).toBe(400);
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'plain-http' });
  });

  it.each([
    ['says something else', ['\x00\x01nonsense']],
    ['breaks off', ['\x16\x03\x01']],
    ['says nothing', []],
  ])('is cut off when it %s', async (_, chunks) => {
    expect((await sendRaw(gateway.port, { chunks, waitMs: 20_000 })).text).not.toMatch(/HTTP/);
    await handshake();
  });

  it('and says nothing is let go of when the gateway stops', async () => {
    const tls = serverTls(filesIn(dir));
    const stopping = await startGateway(tls === null ? {} : { tls });
    const socket = connectPlain({ port: stopping.port, host: '127.0.0.1' });
    await once(socket, 'connect');
    // Until it is accepted: answers on one that came later say that it was.
    expect((await fetch(`${stopping.url}/v1/cluster`)).status).toBe(200);
    const gone = once(socket, 'close');
    const startedAt = performance.now();
    await stopping.close();
    await gone;
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  });

  it('may be gone before anything is answered', async () => {
    for (const first of ['', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03']) {
      const socket = connectPlain({ port: gateway.port, host: '127.0.0.1' });
      await once(socket, 'connect');
      socket.write(first, () => socket.resetAndDestroy());
      await once(socket, 'close');
    }
    await handshake();
  });
});

describe('a certificate that is replaced', () => {
  it('is shown from then on, and connections that are open stay', async () => {
    const open = connect({ port: gateway.port, host: '127.0.0.1', ca: authority.certificatePem });
    await once(open, 'secureConnect');
    await exchange(await certificate(2));
    await until('the new one is shown', async () => (await handshake()).CN === 'for 2 days', WAIT);
    open.write('GET /v1/cluster HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [answer] = (await once(open, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
    open.destroy();
  });

  it('is not, where what is new cannot be used', async () => {
    const [one, other] = await Promise.all([certificate(3), certificate(4)]);
    const wrong = [
      { ...one, keyPem: other.keyPem },
      { ...one, certificatePem: 'none' },
      { ...one, keyPem: '' },
    ];
    for (const [i, pair] of wrong.entries()) {
      await exchange(pair).catch(() => undefined);
      await until('it is complained about', () => complaints().length === i + 1, WAIT);
      expect((await handshake()).CN).toBe('for 2 days');
    }
    await exchange(one);
    await until('the next good one is shown', async () => (await handshake()).CN === 'for 3 days', WAIT);
  });

  const complaints = () => gateway.log.filter((line) => line.includes('the old content stays in use'));
});

describe('the configuration of HTTPS', () => {
  const refusal = (variables: Parameters<typeof serverTls>[0]) => {
    try {
      return serverTls(variables);
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('is two files or none', () => {
    const { RINGLEADER_HTTP_TLS_CERT_FILE, RINGLEADER_HTTP_TLS_KEY_FILE } = filesIn(dir);
    expect(serverTls({})).toBeNull();
    expect(refusal({ RINGLEADER_HTTP_TLS_CERT_FILE })).toMatch(/must be given together/);
    expect(refusal({ RINGLEADER_HTTP_TLS_KEY_FILE })).toMatch(/must be given together/);
    expect(Object.keys(gatewayConfigSchema.shape)).toEqual(
      expect.arrayContaining(['RINGLEADER_HTTP_TLS_CERT_FILE', 'RINGLEADER_HTTP_TLS_KEY_FILE']),
    );
  });

  it('says which file cannot be used, and why', async () => {
    const other = await certificate(1);
    await writeFile(join(dir, 'other.key'), other.keyPem);
    expect(refusal(filesIn(dir, { cert: 'none' }))).toMatch(/none for HTTPS cannot be used: ENOENT/);
    expect(refusal(filesIn(dir, { cert: 'tls.key' }))).toMatch(/tls\.key .* holds no certificate/);
    expect(refusal(filesIn(dir, { key: 'tls.crt' }))).toMatch(/tls\.crt .* holds no private key/);
    expect(refusal(filesIn(dir, { key: 'other.key' }))).toMatch(/other\.key .* not the key of .*tls\.crt/);
  });
});
