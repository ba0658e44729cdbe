import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { clusterHealth } from './health.js';

describe('clusterHealth', () => {
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
      await gateway({ health: 'unavailable', reasons: ['144 of 256 partitions have no leader'] }),
      await gateway({
        health: 'unavailable',
        reasons: ['144 of 256 partitions have no leader', 'shard-2 is down'],
      }),
      await gateway({ health: 'healthy', reasons: [] }),
    ];
    const reasons = ['144 of 256 partitions have no leader', 'shard-2 is down'];
    expect(await clusterHealth(urls)).toEqual({ reasons, serves: true });
    expect(await clusterHealth(urls.slice(2))).toEqual({ reasons: [], serves: true });
  });

  it('tells a cluster that serves all keys from one that does not', async () => {
    const serves = async (view: object) => (await clusterHealth([await gateway(view)])).serves;
    expect(await serves({ health: 'degraded', reasons: ['coordinator-2 is not running'] })).toBe(true);
    expect(await serves({ health: 'unavailable', reasons: ['there is no partition map yet'] })).toBe(false);
    expect((await clusterHealth(['http://127.0.0.1:1'])).serves).toBe(false);
  });
});
