import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TurnedLinks, turnLinks } from './links.js';

describe('TurnedLinks', () => {
  let folder: string;
  let links: TurnedLinks;
  let echo: Server;
  let url: URL;
  const clients: Socket[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'links-'));
    echo = createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    links = await TurnedLinks.open(folder);
    const nats = `nats://127.0.0.1:${(echo.address() as AddressInfo).port}`;
    const plan = {
      service: 'shard',
      member: 'shard-1',
      port: 1,
      env: { RINGLEADER_NATS_URL: nats },
    } as const;
    const { env } = await links.interpose(plan);
    url = new URL(env['RINGLEADER_NATS_URL'] ?? '');
    expect(url.href).not.toBe(new URL(nats).href);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await links.close();
    await new Promise((resolve) => echo.close(resolve));
    await rm(folder, { recursive: true });
  });

  const dial = async (): Promise<Socket> => {
    const client = connect(Number(url.port), url.hostname);
    clients.push(client);
    client.on('error', () => client.destroy());
    await once(client, 'connect');
    return client;
  };
  const heard = async (client: Socket): Promise<string> => {
    const [data] = (await once(client, 'data')) as [Buffer];
    return data.toString();
  };

  it('carry what is said, and after a silence all of it', async () => {
    const client = await dial();
    client.write('one');
    expect(await heard(client)).toBe('one');
    await turnLinks(folder, 'shard-1', 'nats', 'silent');
    client.write('two');
    const late = await dial();
    late.write('three');
    let isSilent = true;
    for (const socket of [client, late]) socket.once('data', () => (isSilent = false));
    // A round trip of another connection through the same process: by now an echo would have come.
    await expect(turnLinks(folder, 'shard-1', 'postgres', 'silent')).rejects.toThrow(/has no link/);
    expect(isSilent).toBe(true);
    const answers = Promise.all([heard(client), heard(late)]);
    await turnLinks(folder, 'shard-1', 'nats', 'open');
    expect(await answers).toEqual(['two', 'three']);
  });

  it('end and refuse connections while they are closed', async () => {
    const client = await dial();
    client.write('one');
    await heard(client);
    const ended = once(client, 'close');
    await turnLinks(folder, 'shard-1', 'nats', 'closed');
    await ended;
    await once(await dial(), 'close');
    await turnLinks(folder, 'shard-1', 'nats', 'open');
    const again = await dial();
    again.write('back');
    expect(await heard(again)).toBe('back');
  });
});
