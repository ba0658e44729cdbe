import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';

let gateway: GatewayHarness;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

it('measures requests by route and status, whatever keys and paths there are', async () => {
  for (let i = 0; i < 20; i++) {
    await fetch(`${gateway.url}/v1/kv/key-${i}`, { method: 'PUT', body: 'x' });
    await fetch(`${gateway.url}/v1/kv/key-${i}`);
    await fetch(`${gateway.url}/nothing/at/${i}`);
  }
  await fetch(`${gateway.url}/v1/kv/missing`);
  const lines = (await gateway.metrics.metrics()).split('\n');
  const counts = lines.filter((line) => line.startsWith('ringleader_gateway_http_request_seconds_count'));
  const label = (line: string, name: string): string => new RegExp(`${name}="([^"]*)"`).exec(line)?.[1] ?? '';
  const table = counts.map((line) => [label(line, 'method'), label(line, 'status'), line.split(' ').at(-1)]);
  expect(table.sort()).toEqual([
    ['GET', '200', '20'],
    ['GET', '404', '1'],
    ['GET', '404', '20'],
    ['PUT', '201', '20'],
  ]);
  expect(new Set(counts.map((line) => label(line, 'route'))).size).toBe(2);
});
