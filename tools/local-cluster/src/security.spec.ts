import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describe as factsOf, renewAtMs } from '@ringleader/certificates';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessOf, renewDue, secure, securityIn } from './security.js';

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 0, 1);

let data: string;
let said: string[];
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'ringleader-security-'));
  said = [];
});
afterEach(() => rm(data, { recursive: true, force: true }));

const start = (nowMs = NOW_MS) => secure(data, (text) => void said.push(text), nowMs);
const textOf = (file: string): string => readFileSync(file, 'utf8');
const kept = (): string[] => {
  const { caFile, nats, gateway, rootTokenFile } = securityIn(data);
  return [caFile, nats.certFile, nats.keyFile, gateway.certFile, gateway.keyFile, rootTokenFile].map(textOf);
};

describe('what a secure cluster keeps', () => {
  it('is for its owner’s eyes, and the same at the next start', async () => {
    await start();
    const first = kept();
    const folder = join(data, 'secure');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(folder))
      expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600]);
    await start(NOW_MS + DAY_MS);
    expect(kept()).toEqual(first);
    expect(said).toEqual([]);
    expect(accessOf(securityIn(data)).token).toMatch(/^rl_root_[\w-]{43}$/);
  });

  it('is renewed when two thirds of its time are over', async () => {
    const { caFile, nats } = await start();
    const before = { ca: textOf(caFile), nats: textOf(nats.certFile) };
    const dueMs = renewAtMs(before.nats);
    await start(dueMs);
    expect(textOf(caFile)).toBe(before.ca);
    expect(factsOf(textOf(nats.certFile)).notAfterMs).toBeGreaterThan(dueMs + 300 * DAY_MS);
    expect(said).toEqual([
      '✓ the certificate of nats-server is renewed',
      '✓ the certificate of gateway is renewed',
    ]);
  });

  it('is renewed while it runs, but for its authority, of which it says so', async () => {
    const { caFile, nats } = await start();
    const [ca, before] = [textOf(caFile), textOf(nats.certFile)];
    const renew = (nowMs: number) => renewDue(securityIn(data), (text) => void said.push(text), nowMs);
    expect(await renew(renewAtMs(before) - 1)).toEqual([]);
    expect(await renew(renewAtMs(before))).toEqual(['nats', 'gateway']);
    expect(await renew(renewAtMs(before))).toEqual([]);
    expect(textOf(nats.certFile)).not.toBe(before);
    said = [];
    await renew(renewAtMs(ca));
    expect(textOf(caFile)).toBe(ca);
    expect(said[0]).toMatch(/^✗ the authority is due/);
    writeFileSync(join(data, 'secure', 'ca.key'), '');
    said = [];
    expect(await renew(renewAtMs(before))).toEqual([]);
    expect(said).toEqual([expect.stringMatching(/^✗ certificates cannot be renewed/)]);
  });

  it('says when those who trust its authority have to be told of another', async () => {
    const { caFile, nats } = await start();
    const before = textOf(caFile);
    await start(renewAtMs(before));
    expect(textOf(caFile)).not.toBe(before);
    expect(factsOf(textOf(nats.certFile)).issuerName).toBe(factsOf(textOf(caFile)).commonName);
    expect(said).toEqual([expect.stringMatching(/^✓ the authority is replaced: .*ca\.crt anew$/)]);
  });

  it.each([
    ['a key that is torn', 'nats.key', 'BEGIN'],
    ['a certificate that is empty', 'gateway.crt', ''],
    ['an authority whose key is gone', 'ca.key', ''],
    ['a token that is torn', 'root-token', 'rl_root_'],
  ])('is made anew in place of %s', async (_, name, text) => {
    await start();
    writeFileSync(join(data, 'secure', name), text);
    const { gateway, nats, caFile } = await start();
    for (const { certFile } of [gateway, nats]) {
      expect(factsOf(textOf(certFile)).issuerName).toBe(factsOf(textOf(caFile)).commonName);
    }
    expect(textOf(join(data, 'secure', name)).length).toBeGreaterThan(40);
    const mended = kept();
    await start();
    expect(kept()).toEqual(mended);
  });
});
