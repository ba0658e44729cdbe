/** Real nats-servers with the generated configuration: each service may do its own, and nobody anything else. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nkeys } from '@nats-io/nats-core';
import type { Msg } from '@nats-io/nats-core';
import { SERVICES, inboxPrefix, subjects, watchInbox } from '@ringleader/contracts';
import type { NatsCredential, Service, Subject } from '@ringleader/contracts';
import {
  natsPasswordFile,
  natsPasswords,
  startNatsCluster,
  startNatsServer,
  until,
} from '@ringleader/testing-servers';
import type { NatsAccess, TestServer } from '@ringleader/testing-servers';
import { connectNats } from './connection.js';
import type { NatsOptions } from './connection.js';
import { UNLOGGED } from './nats-link.js';
import type { NatsLink } from './nats-link.js';

const CLUSTER = 'access';
const OTHER_CLUSTER = 'other';
const WAIT = { timeoutMs: 10_000, everyMs: 10 };
const all = Object.entries(subjects) as unknown as [string, Subject<Service, readonly string[]>][];
/** Tokens for whatever a subject is addressed with. */
const ADDRESS = ['1', '2'];

let dir: string;
let passwords: string;
let access: NatsAccess;
let server: TestServer;
const links = new Map<Service, NatsLink>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-access-'));
  passwords = join(dir, 'passwords');
  access = { cluster: CLUSTER, users: (await natsPasswords(passwords)).users };
  server = await startNatsServer({ dir: join(dir, 'nats'), access });
  for (const service of SERVICES) links.set(service, await connectNats(optionsOf(service), UNLOGGED));
}, 60_000);
afterAll(async () => {
  await Promise.all([...links.values()].map((link) => link.close()));
  await server.stop();
  await rm(dir, { recursive: true, force: true });
}, 30_000);

function optionsOf(service: Service, servers = [server.url]): NatsOptions {
  const identity = {
    kind: 'passwordFile',
    user: service,
    file: natsPasswordFile(passwords, service),
  } as const;
  return {
    servers,
    name: `${service}-1`,
    identity,
    inboxPrefix: inboxPrefix(CLUSTER, { service, member: `${service}-1` }),
  };
}

/** The server answers the flush after what it has refused. */
async function isAllowed(service: Service, attempt: (link: NatsLink) => void): Promise<boolean> {
  const link = links.get(service);
  if (link === undefined) throw new Error(`${service} is not connected`);
  const before = link.counts.permissionViolations;
  attempt(link);
  await link.connection.flush();
  await new Promise(setImmediate);
  return link.counts.permissionViolations === before;
}

const maySay = (service: Service, subject: string): Promise<boolean> =>
  isAllowed(service, (link) => link.connection.publish(subject, ''));
const mayHear = (service: Service, subject: string): Promise<boolean> =>
  isAllowed(service, (link) => {
    const subscription = link.connection.subscribe(subject, { callback: () => undefined });
    void link.connection.flush().then(() => subscription.unsubscribe());
  });

describe.each(SERVICES)('a %s', (service) => {
  it.each(all)('says %s if it is a speaker, in its own name only', async (_, subject) => {
    for (const speaker of SERVICES) {
      const text = subject.from(CLUSTER, { service: speaker, member: 'm' }, ...ADDRESS);
      const isSpeaker = speaker === service && subject.declaration.speakers.includes(service);
      expect([text, await maySay(service, text)]).toEqual([text, isSpeaker]);
    }
    const elsewhere = subject.from(OTHER_CLUSTER, { service, member: 'm' }, ...ADDRESS);
    expect(await maySay(service, elsewhere)).toBe(false);
  });

  it.each(all)('hears %s if it is a listener', async (_, subject) => {
    const isListener = subject.declaration.listeners.includes(service);
    expect(await mayHear(service, subject.to(CLUSTER, ...ADDRESS))).toBe(isListener);
    expect(await mayHear(service, subject.to(OTHER_CLUSTER, ...ADDRESS))).toBe(false);
  });

  it('hears its own inbox, nobody else’s, and not everything', async () => {
    for (const other of SERVICES) {
      const inbox = `${inboxPrefix(CLUSTER, { service: other, member: 'm' })}.x`;
      expect(await mayHear(service, inbox)).toBe(other === service);
    }
    for (const everything of ['>', 'rl.>', '_INBOX.>', '$SYS.>', 'rl.*.*.*.heartbeat.>']) {
      expect([everything, await mayHear(service, everything)]).toEqual([everything, false]);
    }
  });
});

describe('a nats-server with access', () => {
  it('lets coordinators answer who asks, and nobody else', async () => {
    const [coordinator, gateway] = [links.get('coordinator')!, links.get('gateway')!];
    const subscription = coordinator.connection.subscribe(subjects.ask.to(CLUSTER, 1, 'status'), {
      callback: (_, message) => void message.respond('answer'),
    });
    await coordinator.connection.flush();
    const subject = subjects.ask.from(CLUSTER, { service: 'gateway', member: 'gateway-1' }, 1, 'status');
    const answer = await gateway.connection.request(subject, '', { timeout: 5_000 });
    expect(answer.string()).toBe('answer');
    for (const service of SERVICES) {
      expect([service, await maySay(service, answer.subject)]).toEqual([service, service === 'coordinator']);
    }
    subscription.unsubscribe();
  });

  it('lets coordinators push watches to whom they are for', async () => {
    const inbox = watchInbox(CLUSTER, { service: 'gateway', member: 'gateway-1' }, 'stream');
    for (const service of SERVICES) {
      expect([service, await maySay(service, inbox)]).toEqual([service, service === 'coordinator']);
      expect([service, await mayHear(service, inbox)]).toEqual([service, service === 'gateway']);
    }
  });

  it('refuses who does not say who it is, or says it wrongly', async () => {
    const wrong: NonNullable<NatsOptions['identity']>[] = [
      { kind: 'anonymous' },
      { kind: 'password', user: 'shard', password: 'wrong' },
      { kind: 'password', user: 'nobody', password: 'x' },
      { kind: 'passwordFile', user: 'shard', file: natsPasswordFile(passwords, 'gateway') },
    ];
    for (const identity of wrong) {
      const connecting = connectNats({ servers: [server.url], name: 'stranger', identity }, UNLOGGED);
      await expect(connecting).rejects.toMatchObject({ code: 'NATS_REFUSED' });
    }
  });

  it('knows who has a key without knowing the key', async () => {
    const pairs = SERVICES.map((service) => [service, nkeys.createUser()] as const);
    const users = Object.fromEntries(
      pairs.map(([service, pair]) => [service, { kind: 'nkey', publicKey: pair.getPublicKey() }]),
    ) as Record<Service, NatsCredential>;
    const keyed = await startNatsServer({ dir: join(dir, 'keyed'), access: { cluster: CLUSTER, users } });
    const [[service, pair] = ['shard' as Service, nkeys.createUser()]] = pairs;
    const file = join(dir, 'seed');
    await writeFile(file, pair.getSeed());
    const identity = { kind: 'nkey', file } as const;
    const link = await connectNats({ servers: [keyed.url], name: service, identity }, UNLOGGED);
    expect(link.isConnected).toBe(true);
    await link.close();
    await writeFile(file, nkeys.createUser().getSeed());
    const stranger = connectNats({ servers: [keyed.url], name: service, identity }, UNLOGGED);
    await expect(stranger).rejects.toMatchObject({ code: 'NATS_REFUSED' });
    await keyed.stop();
  });

  it('is borne by who is told to wait: at first, and when its key is taken away while it runs', async () => {
    const [known, unknown] = [nkeys.createUser(), nkeys.createUser()];
    const users = Object.fromEntries(
      SERVICES.map((service) => {
        const pair = service === 'shard' ? known : nkeys.createUser();
        return [service, { kind: 'nkey', publicKey: pair.getPublicKey() }];
      }),
    ) as Record<Service, NatsCredential>;
    const folder = join(dir, 'patient');
    const rotating = await startNatsServer({ dir: folder, access: { cluster: CLUSTER, users } });
    const file = join(dir, 'patient-seed');
    await writeFile(file, unknown.getSeed());
    const refused: object[] = [];
    const log = { ...UNLOGGED, error: (fields: object) => void refused.push(fields) };
    const identity = { kind: 'nkey', file } as const;
    const options = { servers: [rotating.url], name: 'shard', identity, onRefusal: 'wait' } as const;
    const connecting = connectNats(options, log);
    await until('two refusals', async () => refused.length === 2, WAIT);
    expect(refused[0]).toMatchObject({ code: 'NATS_REFUSED' });
    await writeFile(file, known.getSeed());
    const link = await connecting;

    const config = join(folder, 'nats-server.conf');
    const text = await readFile(config, 'utf8');
    await writeFile(config, text.replaceAll(known.getPublicKey(), unknown.getPublicKey()));
    await rotating.restart();
    // Two refusals end a client that does not bear them.
    await until('three refusals', async () => link.counts.otherErrors >= 3, WAIT);
    expect(link.refusedBecause).toMatch(/authorization/i);
    await writeFile(file, unknown.getSeed());
    await until('the connection', async () => link.isConnected, WAIT);
    expect(link.refusedBecause).toBeNull();
    await link.close();
    await rotating.stop();
  });
});

describe('a cluster of three nats-servers', () => {
  let servers: TestServer[];
  beforeAll(async () => {
    servers = await startNatsCluster(3, { dir: join(dir, 'cluster'), access });
  }, 60_000);
  afterAll(() => Promise.all(servers.map((one) => one.stop())), 30_000);

  const strikes: [string, (struck: TestServer) => void, (struck: TestServer) => Promise<unknown> | void][] = [
    ['stopped', (struck) => struck.pause(), (struck) => struck.resume()],
    ['killed', (struck) => void struck.kill9(), (struck) => struck.restart()],
  ];
  it.each(strikes)(
    'carries on for who was at the one that is %s',
    async (_, strike, mend) => {
      // It knows one server, and learns of the others.
      const asker = await connectNats(optionsOf('gateway', [servers[0]!.url]), UNLOGGED);
      const answerer = await connectNats(optionsOf('coordinator', [servers[1]!.url]), UNLOGGED);
      answerer.connection.subscribe(subjects.ask.to(CLUSTER, 1, 'status'), {
        callback: (_error, message) => void message.respond('answer'),
      });
      const subject = subjects.ask.from(CLUSTER, { service: 'gateway', member: 'gateway-1' }, 1, 'status');
      const isAnswered = async (): Promise<boolean> => {
        if (!asker.isConnected) return false;
        const asking = asker.connection.request(subject, '', { timeout: 200 });
        return asking.then(
          () => true,
          () => false,
        );
      };
      await until('an answer', isAnswered, WAIT);
      const struck = servers.find(({ port }) => asker.server.endsWith(`:${port}`))!;
      const startedAt = performance.now();
      const loss = new Promise<void>((resolve) => asker.onChange(() => resolve()));
      strike(struck);
      await loss;
      await until('an answer by another server', isAnswered, WAIT);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(asker.server.endsWith(`:${struck.port}`)).toBe(false);
      await mend(struck);
      await Promise.all([asker.close(), answerer.close()]);
    },
    30_000,
  );

  it('lets a coordinator that has moved answer what it was asked before', async () => {
    const asker = await connectNats(optionsOf('gateway', [servers[0]!.url]), UNLOGGED);
    const answerer = await connectNats(optionsOf('coordinator', [servers[1]!.url]), UNLOGGED);
    const asked = Promise.withResolvers<Msg>();
    answerer.connection.subscribe(subjects.ask.to(CLUSTER, 1, 'watch'), {
      callback: (_error, message) => asked.resolve(message),
    });
    await answerer.connection.flush();
    const subject = subjects.ask.from(CLUSTER, { service: 'gateway', member: 'gateway-1' }, 1, 'watch');
    const isThere = async (): Promise<boolean> => {
      const probe = asker.connection.request(subject, '', { timeout: 8_000 });
      probe.catch(() => undefined);
      const first = await Promise.race([asked.promise, probe.catch(() => null)]);
      if (first === null) return false;
      const moved = new Promise<void>((resolve) => answerer.onChange((isBack) => isBack && resolve()));
      const struck = servers.find(({ port }) => answerer.server.endsWith(`:${port}`))!;
      await struck.kill9();
      await moved;
      first.respond('late');
      expect((await probe).string()).toBe('late');
      await struck.restart();
      return true;
    };
    await until('an answer', isThere, WAIT);
    expect(answerer.counts.permissionViolations).toBe(0);
    await Promise.all([asker.close(), answerer.close()]);
  }, 30_000);
});
