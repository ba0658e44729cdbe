import { beforeAll, describe as suite, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { bundle, certificatesIn, createAuthority, describe, issue, renewAtMs, whyReissue } from './index.js';
import type { Authority, CertifiedKey, LeafIdentity } from './index.js';

const DAY_MS = 86_400_000;
const NOW_MS = Math.floor(Date.now() / 1_000) * 1_000;
const MEMBER: LeafIdentity = {
  commonName: 'nats "1", of = demo',
  dnsNames: ['nats-1.demo.svc', '*.demo.svc'],
  addresses: ['127.0.0.1', '::1'],
  usages: ['server', 'client'],
};
const year = { notBeforeMs: NOW_MS, validForMs: 365 * DAY_MS };
const quarter = { ...MEMBER, notBeforeMs: NOW_MS, validForMs: 90 * DAY_MS };

let authority: Authority;
let successor: Authority;
let leaf: CertifiedKey;
beforeAll(async () => {
  [authority, successor] = await Promise.all([
    createAuthority({ commonName: 'demo', ...year }),
    createAuthority({ commonName: 'demo', ...year }),
  ]);
  leaf = await issue(authority, quarter);
});

/** Null, or why one of both did not trust the other. */
async function handshake(server: TlsOptions, client: Parameters<typeof connect>[1]): Promise<string | null> {
  const listener = createServer(server, (socket) => socket.end('hello'));
  listener.on('tlsClientError', () => undefined);
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const { port } = listener.address() as AddressInfo;
  const socket: TLSSocket = connect(port, { host: '127.0.0.1', ...client });
  try {
    // A server that refuses a client's certificate may end the connection without a word.
    return await Promise.race([
      once(socket, 'data').then(() => null),
      once(socket, 'end').then(() => 'ended'),
    ]);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.destroy();
    listener.close();
  }
}

const serverOf = ({ certificatePem, keyPem }: CertifiedKey) => ({ cert: certificatePem, key: keyPem });

suite('a certificate', () => {
  it('is for whom it was asked, and for as long, with an allowance for clocks', () => {
    expect(describe(leaf.certificatePem)).toMatchObject({
      ...MEMBER,
      issuerName: 'demo',
      isAuthority: false,
      notBeforeMs: NOW_MS - 300_000,
      notAfterMs: NOW_MS + quarter.validForMs,
    });
    expect(describe(authority.certificatePem)).toMatchObject({ commonName: 'demo', isAuthority: true });
  });

  it('is one for OpenSSL too, signed by its authority and by no other of that name', () => {
    const [own, other] = [authority, successor].map((one) => new X509Certificate(one.certificatePem));
    const certificate = new X509Certificate(leaf.certificatePem);
    expect(certificate.verify(own!.publicKey)).toBe(true);
    expect(certificate.verify(other!.publicKey)).toBe(false);
    expect(certificate.checkHost('nats-1.demo.svc')).toBe('nats-1.demo.svc');
    expect(certificate.checkHost('other.svc')).toBeUndefined();
    expect(certificate.checkIP('::1')).toBe('::1');
  });

  it('never outlives its authority', async () => {
    const long = await issue(authority, { ...quarter, validForMs: 10 * year.validForMs });
    expect(describe(long.certificatePem).notAfterMs).toBe(describe(authority.certificatePem).notAfterMs);
  });

  it('has a number of its own', async () => {
    const numbers = await Promise.all(
      Array.from(
        { length: 20 },
        async () => describe((await issue(authority, quarter)).certificatePem).serialNumber,
      ),
    );
    expect(new Set(numbers).size).toBe(20);
    for (const number of numbers) expect(number).toMatch(/^[4-7][0-9a-f]{31}$/);
  });

  it('is not made for what is no address', async () => {
    await expect(issue(authority, { ...quarter, addresses: ['localhost'] })).rejects.toThrow(/no address/);
  });
});

suite('a handshake', () => {
  const trusting = (ca: string) => ({ ca, servername: 'nats-1.demo.svc' });

  it('succeeds with the authority, and fails with another or for another name', async () => {
    const server = serverOf(leaf);
    expect(await handshake(server, { ca: authority.certificatePem })).toBeNull();
    expect(await handshake(server, trusting(authority.certificatePem))).toBeNull();
    expect(await handshake(server, trusting(successor.certificatePem))).toMatch(/UNABLE_TO|SIGNATURE/);
    expect(await handshake(server, { ca: authority.certificatePem, servername: 'other.svc' })).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
  });

  it('succeeds with two authorities of one name, by whichever the certificate is', async () => {
    const both = bundle([successor.certificatePem, authority.certificatePem], NOW_MS);
    const renewed = await issue(successor, quarter);
    for (const one of [leaf, renewed]) expect(await handshake(serverOf(one), trusting(both))).toBeNull();
  });

  it('of both sides takes a certificate of a client, and no server’s for one', async () => {
    const mutual = { requestCert: true, rejectUnauthorized: true, ca: authority.certificatePem };
    const server = { ...serverOf(leaf), ...mutual };
    const asking = async (usages: LeafIdentity['usages']) => {
      const own = await issue(authority, { ...quarter, usages });
      return handshake(server, { ...trusting(authority.certificatePem), ...serverOf(own) });
    };
    expect(await asking(['client'])).toBeNull();
    expect(await asking(['server'])).not.toBeNull();
    expect(await handshake(server, trusting(authority.certificatePem))).not.toBeNull();
  });
});

suite('a bundle', () => {
  it('has each authority once, and none whose time is over', async () => {
    const old = await createAuthority({
      commonName: 'old',
      notBeforeMs: NOW_MS - 9 * DAY_MS,
      validForMs: DAY_MS,
    });
    const [first, second] = [authority.certificatePem, successor.certificatePem];
    const text = bundle([`${first}${second}`, old.certificatePem, first.trim()], NOW_MS);
    expect(certificatesIn(text)).toEqual([first, second]);
    expect(bundle([text], NOW_MS + 2 * year.validForMs)).toBe('');
  });
});

suite('a certificate is issued anew', () => {
  const ask = { identity: MEMBER, nowMs: NOW_MS };
  const why = (other: Partial<Parameters<typeof whyReissue>[0]>) =>
    whyReissue({
      certificatePem: leaf.certificatePem,
      authorityPem: authority.certificatePem,
      ...ask,
      ...other,
    });

  it('when two thirds of its time are over', () => {
    const due = renewAtMs(leaf.certificatePem);
    expect(Math.abs(due - (NOW_MS + 60 * DAY_MS))).toBeLessThan(300_000);
    expect([why({ nowMs: due - 1 }), why({ nowMs: due })]).toEqual([null, 'due']);
  });

  it('when there is none that serves now, whoever had another idea of the time', () => {
    expect(why({ certificatePem: null })).toBe('missing');
    const [head = '', , ...rest] = leaf.certificatePem.split('\n');
    expect(why({ certificatePem: [head, ...rest].join('\n') })).toBe('unreadable');
    const { notBeforeMs, notAfterMs } = describe(leaf.certificatePem);
    expect([why({ nowMs: notBeforeMs - 1 }), why({ nowMs: notAfterMs })]).toEqual(['not-valid', 'not-valid']);
    expect(why({ nowMs: notBeforeMs })).toBeNull();
  });

  it('not for an address that is spelt otherwise', async () => {
    const addresses = ['2001:DB8:0:0::1', '::ffff:10.0.0.1', '0:0:0:0:0:0:0:1', '192.0.2.7'];
    const identity = { ...MEMBER, addresses };
    const { certificatePem } = await issue(authority, { ...quarter, ...identity });
    expect(why({ certificatePem, identity })).toBeNull();
    const certificate = new X509Certificate(certificatePem);
    for (const address of addresses) expect(certificate.checkIP(address)).toBe(address);
    expect(why({ certificatePem, identity: { ...identity, addresses: ['2001:db8::2'] } })).toBe(
      'other-identity',
    );
  });

  it('when another is wanted', () => {
    expect(why({ authorityPem: successor.certificatePem })).toBe('other-authority');
    expect(why({ identity: { ...MEMBER, dnsNames: ['nats-2.demo.svc'] } })).toBe('other-identity');
    expect(why({ identity: { ...MEMBER, usages: ['server'] } })).toBe('other-identity');
    expect(why({ identity: { ...MEMBER, dnsNames: [...MEMBER.dnsNames].reverse() } })).toBeNull();
  });
});
