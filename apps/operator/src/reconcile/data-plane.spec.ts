import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createUser } from '@nats-io/nkeys';
import { createLogger } from '@ringleader/observability';
import { DataPlane } from './data-plane.js';

const logger = createLogger({ level: 'silent', service: 'operator', member: 'operator-1' });

describe('the connection to a cluster', () => {
  let server: Server;
  afterEach(() => {
    server.close();
  });

  it('that comes when it is wanted no more is closed', async () => {
    const accepted = Promise.withResolvers<Socket>();
    server = createServer((socket) => accepted.resolve(socket));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const seed = Buffer.from(createUser().getSeed()).toString();
    const plane = new DataPlane({
      ...{ cluster: 'demo', member: 'operator-1', logger, onChange: () => undefined },
      access: { servers: [`nats://127.0.0.1:${port}`], ca: null, seed },
    });
    const socket = await accepted.promise;
    const closed = plane.close();
    // As a nats-server greets, and answers the first ping.
    const info = { server_id: 'a', version: '2.11.0', proto: 1, port, max_payload: 8_388_608, nonce: 'n' };
    socket.write(`INFO ${JSON.stringify({ ...info, headers: true })}\r\n`);
    socket.on('data', (said: Buffer) => {
      if (said.toString().includes('PING')) socket.write('PONG\r\n');
    });
    await once(socket, 'close');
    await closed;
    expect(plane.coordinators).toBeNull();
  }, 10_000);
});
