/** Real nats-servers as a secure cluster has them: TLS everywhere, keys for the services, certificates between the servers. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { inboxPrefix, subjects } from '@ringleader/contracts';
import type { Service } from '@ringleader/contracts';
import {
  natsSeedFile,
  natsSeeds,
  startNatsCluster,
  startNatsServer,
  testAuthority,
  until,
  writeCertificate,
} from '@ringleader/testing-servers';
import type { CertificateFiles, NatsAccess, TestServer } from '@ringleader/testing-servers';
import { connectNats } from './connection.js';
import type { NatsOptions } from './connection.js';
import { UNLOGGED } from './nats-link.js';
import type { NatsLink } from './nats-link.js';

const CLUSTER = 'secure';
const WAIT = { timeoutMs: 20_000, everyMs: 20 };
const RECONNECTS_MS = 20_000;

let dir: string;
let seeds: string;
let access: NatsAccess;
let files: CertificateFiles;
let servers: TestServer[];
let authority: Awaited<ReturnType<typeof testAuthority>>;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-secure-'));
  seeds = join(dir, 'seeds');
  access = { cluster: CLUSTER, users: (await natsSeeds(seeds)).users };
  authority = await testAuthority('first');
  files = await writeCertificate(join(dir, 'tls'), authority);
  servers = await startNatsCluster(2, { dir: join(dir, 'nats'), access, tls: files });
}, 60_000);
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(dir, { recursive: true, force: true });
}, 30_000);

function optionsOf(service: Service, server: TestServer, options: Partial<NatsOptions> = {}): NatsOptions {
  return {
    servers: [server.url],
    name: `${service}-1`,
    identity: { kind: 'nkey', file: natsSeedFile(seeds, service) },
    inboxPrefix: inboxPrefix(CLUSTER, { service, member: `${service}-1` }),
    tls: { caFile: files.caFile },
    discovery: false,
    ...options,
  };
}

const connecting = (
  service: Service,
  server: TestServer,
  options?: Partial<NatsOptions>,
): Promise<NatsLink> => connectNats(optionsOf(service, server, options), UNLOGGED);

const der = (pem: string): string => new X509Certificate(pem).raw.toString('base64');

/** As a client is shown it, which the server asks to encrypt. */
async function certificateOf(server: TestServer): Promise<string> {
  const { port, hostname: host } = new URL(server.url);
  const plain = connectPlain(Number(port), host);
  try {
    await once(plain, 'data');
    const socket = connect({ socket: plain, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().raw.toString('base64');
  } finally {
    plain.destroy();
  }
}

/** A question that goes from one server to the other, and an answer that comes back. */
async function isCarried(gateway: NatsLink, coordinator: NatsLink): Promise<boolean> {
  const subscription = coordinator.connection.subscribe(subjects.ask.to(CLUSTER, 1, 'status'), {
    callback: (_error, message) => void message.respond('answer'),
  });
  await coordinator.connection.flush();
  const subject = subjects.ask.from(CLUSTER, { service: 'gateway', member: 'gateway-1' }, 1, 'status');
  const answered = await gateway.connection.request(subject, '', { timeout: 500 }).then(
    () => true,
    () => false,
  );
  subscription.unsubscribe();
  return answered;
}

describe('a secure cluster of nats-servers', () => {
  it('carries messages between services at its servers, all encrypted', async () => {
    const [gateway, coordinator] = [
      await connecting('gateway', servers[0]!),
      await connecting('coordinator', servers[1]!),
    ];
    expect([gateway, coordinator].map(({ connection }) => connection.info?.tls_required)).toEqual([
      true,
      true,
    ]);
    await until('an answer', () => isCarried(gateway, coordinator), WAIT);
    await Promise.all([gateway.close(), coordinator.close()]);
  });

  it('is trusted by its authority only, and takes nobody without a key, or unencrypted', async () => {
    const other = await testAuthority('other');
    const caFile = join(dir, 'other.crt');
    await writeFile(caFile, other.certificatePem);
    for (const tls of [{}, { caFile }]) {
      const distrusting = connecting('shard', servers[0]!, { tls });
      await expect(distrusting).rejects.toMatchObject({ code: 'NATS_REFUSED' });
      await expect(distrusting).rejects.toThrow(/not trusted/);
    }
    const anonymous = connecting('shard', servers[0]!, { identity: { kind: 'anonymous' } });
    await expect(anonymous).rejects.toMatchObject({ code: 'NATS_REFUSED' });
    // Told nothing of TLS, a client encrypts because the server asks for it, and finds that it knows no authority.
    const plain = connecting('shard', servers[0]!, { tls: null });
    await expect(plain).rejects.toMatchObject({ code: 'NATS_REFUSED' });
  });

  it('shows its next certificate when it is told to read its files again, and keeps its clients', async () => {
    const { certFile, keyFile } = await writeCertificate(join(dir, 'renewed'), authority);
    const server = await startNatsServer({ dir: join(dir, 'renewing'), access, tls: { certFile, keyFile } });
    const link = await connecting('shard', server);
    await writeCertificate(join(dir, 'renewed'), authority);
    const shown = await readFile(certFile, 'utf8');
    process.kill(server.pid, 'SIGHUP');
    await until('the next one', async () => (await certificateOf(server)) === der(shown), WAIT);
    expect(link.isConnected).toBe(true);
    expect(link.counts.disconnects).toBe(0);
    await link.close();
    await server.stop();
  });

  it('is one that the URL names, by its name or by its address', async () => {
    const reached = async (names: Parameters<typeof writeCertificate>[3], host: string): Promise<string> => {
      const { certFile, keyFile } = await writeCertificate(join(dir, 'named'), authority, ['server'], names);
      const named = await startNatsServer({ dir: join(dir, 'one'), access, tls: { certFile, keyFile } });
      const options = { servers: [named.url.replace('127.0.0.1', host)] };
      const link = await connecting('shard', named, options).catch((error: Error) => error);
      if (!(link instanceof Error)) await link.close();
      await named.stop();
      return link instanceof Error ? link.message : 'reached';
    };
    const [byName, byAddress] = [
      { dnsNames: ['localhost'], addresses: [] },
      { dnsNames: [], addresses: ['127.0.0.1'] },
    ];
    expect(await reached(byAddress, '127.0.0.1')).toBe('reached');
    expect(await reached(byName, 'localhost')).toBe('reached');
    expect(await reached(byName, '127.0.0.1')).toMatch(/not trusted: .*127\.0\.0\.1/);
    expect(await reached(byAddress, 'localhost')).toMatch(/not trusted: .*localhost/);
  });

  it('takes for a server only who shows a certificate of the authority, and one for clients', async () => {
    const stranger = await testAuthority('stranger');
    const [other, clientOnly, serverOnly] = await Promise.all([
      writeCertificate(join(dir, 'stranger'), stranger),
      writeCertificate(join(dir, 'client'), authority, ['client']),
      writeCertificate(join(dir, 'server'), authority, ['server']),
    ]);
    expect(await routeAnswers(files)).toMatch(/^INFO|^PING/);
    expect(await routeAnswers(clientOnly)).toMatch(/^INFO|^PING/);
    for (const wrong of [null, other, serverOnly])
      expect(await routeAnswers(wrong)).toMatch(/^(?:ERR_SSL_|ECONN|CLOSED)/);
  });
});

/** As a server begins that wants to be one of the cluster: what it is told behind the handshake, or why there is none. */
async function routeAnswers(shown: CertificateFiles | null): Promise<string> {
  const config = await readFile(join(dir, 'nats', 'nats-1', 'nats-server.conf'), 'utf8');
  const port = Number(/cluster \{[^}]*?port: (\d+)/.exec(config)?.[1]);
  const [ca, cert, key] = await Promise.all(
    [files.caFile, ...(shown === null ? [] : [shown.certFile, shown.keyFile])].map((file) => readFile(file)),
  );
  const socket = connect({ port, host: '127.0.0.1', ca: ca!, ...(cert && key && { cert, key }) });
  const answer = once(socket, 'data').then(([bytes]) => (bytes as Buffer).toString('latin1'));
  const end = once(socket, 'close').then(() => 'CLOSED');
  socket.once('secureConnect', () => {
    socket.write('CONNECT {"verbose":false,"user":"routes","pass":"wrong"}\r\nPING\r\n');
  });
  try {
    return await Promise.race([answer, end]);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.destroy();
  }
}

describe('a client of a secure cluster', () => {
  it(
    'comes back with the key and the authority that it had where their files are just being written',
    async () => {
      const seedFile = natsSeedFile(seeds, 'shard');
      const caFile = join(dir, 'shard-ca.crt');
      await copyFile(files.caFile, caFile);
      const written = await Promise.all(
        [seedFile, caFile].map(async (file) => ({ file, content: await readFile(file) })),
      );
      const link = await connecting('shard', servers[0]!, { tls: { caFile } });
      const comeBack = new Promise<void>((resolve) =>
        link.onChange((isConnected) => isConnected && resolve()),
      );
      for (const { file, content } of written) await writeFile(file, content.subarray(0, content.length / 2));
      await servers[0]!.restart();
      await comeBack;
      for (const { file, content } of written) await writeFile(file, content);
      await link.close();
      expect(await link.ended).toBeNull();
    },
    RECONNECTS_MS,
  );

  it(
    'goes on with the authority that its file names by then',
    async () => {
      const link = await connecting('failure-detector', servers[1]!);
      const successor = await testAuthority('second');
      // Both servers take the new certificates with their next start, and trust both authorities meanwhile.
      await writeCertificate(join(dir, 'tls'), successor);
      const back = new Promise<void>((resolve) => link.onChange((isConnected) => isConnected && resolve()));
      await servers[1]!.restart();
      await back;
      expect(link.isConnected).toBe(true);
      await link.close();
    },
    RECONNECTS_MS,
  );
});
