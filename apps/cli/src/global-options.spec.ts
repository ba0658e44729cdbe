import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createAuthority, issue } from '@ringleader/certificates';
import type { Authority } from '@ringleader/certificates';
import { clientOf } from './global-options.js';

const HOUR_MS = 3_600_000;
const usual = getCACertificates('default');

describe('--ca-file', () => {
  let folder: string;
  let server: Server;
  let url: string;
  let authorities: readonly Authority[];

  beforeAll(async () => {
    const valid = { notBeforeMs: Date.now(), validForMs: HOUR_MS };
    const [first, second] = await Promise.all(
      ['first', 'second'].map((commonName) => createAuthority({ commonName, ...valid })),
    );
    authorities = [first!, second!];
    const loopback = { commonName: 'gateway', dnsNames: [], addresses: ['127.0.0.1'] };
    const { certificatePem: cert, keyPem: key } = await issue(first!, {
      ...{ ...loopback, ...valid },
      usages: ['server'],
    });
    server = createServer({ cert, key }, (_request, response) => response.end('{"items":[]}'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    folder = await mkdtemp(join(tmpdir(), 'ringleader-ca-'));
  });
  afterAll(async () => {
    setDefaultCACertificates(usual);
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function clientWith(...lines: string[]) {
    const caFile = join(folder, 'ca.crt');
    await writeFile(caFile, lines.join(''));
    const flags = { gateway: [url], format: 'text', timeout: 5_000, caFile } as const;
    return clientOf(flags, new AbortController().signal);
  }

  it('says whom to trust, and nobody else is', async () => {
    const [first = '', second = ''] = authorities.map(({ certificatePem }) => certificatePem);
    expect((await (await clientWith(second)).list({})).status).toBe(0);
    expect((await (await clientWith(second, first)).list({})).body).toEqual({ items: [] });
  });

  it('is refused where it has no certificate', async () => {
    for (const text of ['', 'none', authorities[0]!.keyPem]) {
      await expect(clientWith(text)).rejects.toMatchObject({ exitCode: 2 });
      await expect(clientWith(text)).rejects.toThrow(/holds no certificates to trust/);
    }
  });
});
