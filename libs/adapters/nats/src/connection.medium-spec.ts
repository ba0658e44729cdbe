import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePort,
  natsPasswordFile,
  natsPasswords,
  startNatsServer,
  until,
} from '@ringleader/testing-servers';
import type { TestServer } from '@ringleader/testing-servers';
import { connectNats } from './connection.js';
import { connectNatsLinks } from './links.js';
import { UNLOGGED } from './nats-link.js';
import type { NatsLink, NatsLog } from './nats-link.js';

/** Far less than the two minutes after which a client that does not look by itself notices. */
const WAIT = { timeoutMs: 30_000, everyMs: 10 };

class RecordedLog implements NatsLog {
  readonly lines: string[] = [];
  readonly info = (_: object, message: string): void => void this.lines.push(message);
  readonly warn = this.info;
  readonly error = this.info;
}

let dir: string;
let servers: TestServer[];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-nats-'));
  servers = await Promise.all([1, 2, 3].map((i) => startNatsServer({ dir: join(dir, String(i)) })));
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(dir, { recursive: true, force: true });
});

const urls = (): string[] => servers.map(({ url }) => url);
const serverOf = (link: NatsLink): TestServer => {
  const server = servers.find(({ port }) => link.server.endsWith(`:${port}`));
  if (server === undefined) throw new Error(`${link.server} is none of ours`);
  return server;
};

/** Until the link has noticed, and has another server, while its own is as it was left. */
async function failOver(link: NatsLink, strike: (server: TestServer) => void): Promise<void> {
  let changes = 0;
  const stop = link.onChange(() => {
    changes += 1;
  });
  const lost = serverOf(link);
  strike(lost);
  await until('another server', async () => changes >= 2 && link.isConnected, WAIT);
  stop();
  expect(serverOf(link)).not.toBe(lost);
  await link.connection.flush();
}

describe('the connection to NATS', () => {
  it('goes on at another server when its own is stopped, and when it is killed', async () => {
    const log = new RecordedLog();
    const link = await connectNats({ servers: urls(), name: 'test' }, log);
    const stopped = serverOf(link);
    await failOver(link, (server) => server.pause());
    stopped.resume();
    expect(link.counts).toMatchObject({ stale: 1, disconnects: 1, reconnects: 1 });
    const killed = serverOf(link);
    await failOver(link, (server) => void server.kill9());
    await killed.restart();
    expect(log.lines).toContain('The nats-server does not answer');
    await link.close();
    expect(await link.ended).toBeNull();
  });

  it('meets others with the same list at one server, also after it has gone', async () => {
    const links = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((i) => connectNats({ servers: urls(), name: `test-${i}` }, UNLOGGED)),
    );
    expect(links.map(({ server }) => server)).toEqual(
      links.map(() => servers[0]?.url.slice('nats://'.length)),
    );
    const [first] = servers;
    await first?.kill9();
    const met = (): boolean =>
      links.every((link) => link.isConnected && link.server === servers[1]?.url.slice('nats://'.length));
    await until('all are at the second', async () => met(), WAIT);
    await first?.restart();
    await Promise.all(links.map((link) => link.close()));
  });

  it('takes the connection for bulk along', async () => {
    const links = await connectNatsLinks({ servers: urls(), name: 'test' }, UNLOGGED);
    expect(links.data.server).toBe(links.control.server);
    const stopped = serverOf(links.control);
    await failOver(links.control, (server) => server.pause());
    const isAtTheSame = (): boolean => links.data.isConnected && links.data.server === links.control.server;
    await until('the same server', isAtTheSame, WAIT);
    stopped.resume();
    await links.close();
  });

  it('lets control pass by while the other connection is full of bulk', async () => {
    const links = await connectNatsLinks({ servers: urls(), name: 'test' }, UNLOGGED);
    const bulk = Buffer.alloc(1024 * 1024);
    const firstAnswered = async (): Promise<string> => {
      for (let i = 0; i < 128; i += 1) links.data.publish('bulk', bulk);
      const answers = [links.data, links.control].map((link) =>
        link.connection.flush().then(() => link.lane),
      );
      const first = await Promise.race(answers);
      await Promise.all(answers);
      return first;
    };
    // Behind the bulk it would never be the first; beside it, on a busy machine, both answers may be read together.
    await until('control is answered first', async () => (await firstAnswered()) === 'control', WAIT);
    expect(links.data.counts.stale).toBe(0);
    await links.close();
  });

  it('says that it waits for the first server, and goes on when there is one', async () => {
    const port = await freePort();
    const log = new RecordedLog();
    const connecting = connectNats({ servers: [`nats://127.0.0.1:${port}`], name: 'test' }, log);
    await until('a line', async () => log.lines.includes('NATS cannot be reached; trying again'), WAIT);
    const late = await startNatsServer({ dir: join(dir, 'late'), port });
    const link = await connecting;
    expect(link.isConnected).toBe(true);
    await link.close();
    await late.stop();
  });

  it('remembers a server that was not there, and one whose name nobody knew, when it comes to another one', async () => {
    const port = await freePort();
    const [there] = servers;
    const list = [`nats://127.0.0.1:${port}`, 'nats://nobody.invalid:4222', there?.url ?? ''];
    const link = await connectNats({ servers: list, name: 'test', discovery: false }, UNLOGGED);
    expect(serverOf(link)).toBe(there);
    const late = await startNatsServer({ dir: join(dir, 'later'), port });
    await there?.kill9();
    await until('the other server', async () => link.isConnected && link.server.endsWith(`:${port}`), WAIT);
    await there?.restart();
    await link.close();
    await late.stop();
  });

  it.each(['first', 'last'])(
    'remembers one that was not there, and would have been preferred: the %s',
    async (place) => {
      const port = await freePort();
      const [there] = servers;
      const list = [`nats://127.0.0.1:${port}`, there?.url ?? ''];
      const link = await connectNats(
        {
          ...{ servers: place === 'first' ? list : list.toReversed(), name: 'test', discovery: false },
          preferredServer: () => `127.0.0.1:${port}`,
        },
        UNLOGGED,
      );
      expect(serverOf(link)).toBe(there);
      const late = await startNatsServer({ dir: join(dir, `preferred-${place}`), port });
      await there?.kill9();
      await until('the other server', async () => link.isConnected && link.server.endsWith(`:${port}`), WAIT);
      await there?.restart();
      await link.close();
      await late.stop();
    },
  );

  it('connects once, however the server is written', async () => {
    const [there] = servers;
    let taken = 0;
    const counting = createServer((socket) => {
      taken += 1;
      const onward = createConnection(there?.port ?? 0, '127.0.0.1');
      socket.on('error', () => onward.destroy()).pipe(onward);
      onward.on('error', () => socket.destroy()).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(counting, 'listening');
    const { port } = counting.address() as AddressInfo;
    const link = await connectNats({ servers: [`nats://LocalHost:${port}`], name: 'test' }, UNLOGGED);
    expect([link.server, taken]).toEqual([`localhost:${port}`, 1]);
    await link.close();
    counting.close();
  });

  it('waits for a name that is not known yet', async () => {
    const giveUp = new AbortController();
    const log = new RecordedLog();
    const options = { servers: ['nats://nobody.invalid:4222'], name: 'test', signal: giveUp.signal };
    const connecting = connectNats(options, log);
    const isTried = async (): Promise<boolean> => log.lines.length >= 2;
    await until('a second attempt', isTried, WAIT);
    expect(new Set(log.lines)).toEqual(new Set(['NATS cannot be reached; trying again']));
    giveUp.abort();
    await expect(connecting).rejects.toThrow(/abort/);
  });

  it('gives up waiting when it is told to', async () => {
    const giveUp = new AbortController();
    const options = {
      servers: [`nats://127.0.0.1:${await freePort()}`],
      name: 'test',
      signal: giveUp.signal,
    };
    const connecting = connectNats(options, UNLOGGED);
    giveUp.abort();
    await expect(connecting).rejects.toThrow(/abort/);
  });

  it('drops what would be late, and counts it', async () => {
    const lonely = await startNatsServer({ dir: join(dir, 'lonely') });
    const link = await connectNats({ servers: [lonely.url], name: 'test' }, UNLOGGED);
    expect(link.publish('a', 'b')).toBe(true);
    await lonely.kill9();
    await until('the break', async () => !link.isConnected, WAIT);
    expect(link.publish('a', 'b')).toBe(false);
    expect(link.counts.dropped).toBe(1);
    await link.close();
  });

  it('refuses a server without encryption where it is asked for', async () => {
    const connecting = connectNats({ servers: urls(), name: 'test', tls: {} }, UNLOGGED);
    await expect(connecting).rejects.toMatchObject({ code: 'NATS_REFUSED' });
    await expect(connecting).rejects.toThrow(/no encryption/);
  });

  it('refuses a server that takes no large messages, at first and when it comes to one', async () => {
    const small = await startNatsServer({ dir: join(dir, 'small') });
    const link = await connectNats({ servers: [small.url], name: 'test' }, UNLOGGED);
    await small.kill9();
    const file = join(dir, 'small', 'nats-server.conf');
    await writeFile(
      file,
      (await readFile(file, 'utf8')).replace(/^max_payload: .*$/m, 'max_payload: 1048576'),
    );
    await small.restart();
    expect(await link.ended).toMatchObject({ code: 'NATS_REFUSED', details: { bytesMax: 1_048_576 } });
    const connecting = connectNats({ servers: [small.url], name: 'test' }, UNLOGGED);
    await expect(connecting).rejects.toThrow(/at most 1048576 bytes.*set max_payload to 8MB/);
    await small.stop();
  });

  it('names the file that it cannot read', async () => {
    const empty = join(dir, 'empty');
    await writeFile(empty, '\n');
    for (const file of [join(dir, 'missing'), empty]) {
      const identity = { kind: 'nkey', file } as const;
      const connecting = connectNats({ servers: urls(), name: 'test', identity }, UNLOGGED);
      await expect(connecting).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { file } });
    }
  });

  it('comes back with the password that it had where its file cannot be used for a moment', async () => {
    const { users } = await natsPasswords(join(dir, 'passwords'));
    const access = { cluster: 'test', users };
    const guarded = await startNatsServer({ dir: join(dir, 'guarded'), access });
    const file = natsPasswordFile(join(dir, 'passwords'), 'gateway');
    const password = await readFile(file);
    const log = new RecordedLog();
    const identity = { kind: 'passwordFile', user: 'gateway', file } as const;
    const link = await connectNats({ servers: [guarded.url], name: 'test', identity }, log);
    const back = async (times: number): Promise<void> => {
      await guarded.restart();
      await until('a connection', async () => link.counts.reconnects === times && link.isConnected, WAIT);
    };
    const complaints = (): number =>
      log.lines.filter((line) => line === 'A file for NATS cannot be used; what it held before is').length;
    await rm(file);
    await back(1);
    await writeFile(file, '\n');
    await back(2);
    expect(complaints()).toBe(1);
    await writeFile(file, password);
    await back(3);
    await rm(file);
    await back(4);
    expect(complaints()).toBe(2);
    await link.close();
    await guarded.stop();
  });

  it('names the file that holds something else than it should, and does not try again and again', async () => {
    const file = join(dir, 'nonsense');
    await writeFile(file, 'nonsense\n');
    const mistaken = [
      [{ identity: { kind: 'nkey', file } }, 'no seed'],
      [{ identity: { kind: 'credentials', file } }, 'no credentials'],
      [{ tls: { caFile: file } }, 'no certificate'],
      [{ tls: { certFile: file, keyFile: file } }, 'no certificate'],
      [{ tls: { keyFile: file } }, 'no private key'],
    ] as const;
    for (const [options, reason] of mistaken) {
      const connecting = connectNats({ servers: urls(), name: 'test', ...options }, UNLOGGED);
      await expect(connecting).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { file } });
      await expect(connecting).rejects.toThrow(reason);
    }
  });
});
