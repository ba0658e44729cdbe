import { createServer } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { freePort, freePorts, portIsFree } from './ports.js';

describe('ports for servers', () => {
  it('are none that an outgoing connection could take while a server is started again, and none twice', async () => {
    const ports = await freePorts(40);
    expect(new Set(ports).size).toBe(ports.length);
    for (const port of ports) expect(port).toBeLessThan(32_768);
  });

  it('are free, and are not while somebody listens there', async () => {
    const port = await freePort();
    const server = createServer();
    await once(server.listen(port, '127.0.0.1'), 'listening');
    expect(await portIsFree(port)).toBe(false);
    await once(server.close(), 'close');
  });
});
