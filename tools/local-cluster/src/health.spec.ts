import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { unhealthyReasonsOf } from './health.js';

describe('unhealthyReasonsOf', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function gateway(view: object): Promise<string> {
    const server = createServer((_request, response) => response.end(JSON.stringify(view)));
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('gives each reason once, whichever gateways say it', async () => {
    const urls = [
      await gateway({ health: 'degraded', reasons: ['144 of 256 partitions have no leader'] }),
      await gateway({
        health: 'degraded',
        reasons: ['144 of 256 partitions have no leader', 'shard-2 is down'],
      }),
      await gateway({ health: 'healthy', reasons: [] }),
    ];
    expect(await unhealthyReasonsOf(urls)).toEqual([
      '144 of 256 partitions have no leader',
      'shard-2 is down',
    ]);
    expect(await unhealthyReasonsOf(urls.slice(2))).toEqual([]);
  });
});
