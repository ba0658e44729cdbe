import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GatewayClient } from '../gateway-client.js';
import { exportTo, lineOf } from './export.js';

const ITEM = {
  revision: 1,
  version: 1,
  createdAt: '2026-01-01T00:00:00Z',
  modifiedAt: '2026-01-01T00:00:00Z',
};
const never = new AbortController().signal;

describe('exportTo', () => {
  let server: Server;
  const requests: string[] = [];

  const listen = async (
    answer: (url: URL, number: number) => { status: number; body: unknown },
  ): Promise<string> => {
    server = createServer((request, response) => {
      requests.push(request.url ?? '');
      const { status, body } = answer(new URL(request.url ?? '', 'http://x'), requests.length);
      response.statusCode = status;
      response.end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const exportFrom = (url: string) => {
    const written: string[] = [];
    const output = { write: (text: string) => Promise.resolve(void written.push(text)) };
    return { output, written, client: new GatewayClient({ gateways: [url], signal: never }) };
  };
  afterEach(() => {
    requests.length = 0;
    server.closeAllConnections();
    server.close();
  });

  it('follows the cursor and repeats a page that failed', async () => {
    const url = await listen((request, number) => {
      if (number === 2) return { status: 503, body: { code: 'UNAVAILABLE' } };
      const cursor = request.searchParams.get('cursor');
      const items = [
        { ...ITEM, key: cursor === null ? 'a' : 'b', value: 'x', contentType: 'application/octet-stream' },
      ];
      return { status: 200, body: cursor === null ? { items, cursor: 'c1' } : { items } };
    });
    const { output, client, written } = exportFrom(url);
    expect(await exportTo(output, client, { prefix: 'p/', giveUpMs: 5_000 }, never)).toBe(2);
    expect(written.join('')).toBe('{"key":"a","value":"x"}\n{"key":"b","value":"x"}\n');
    expect(requests).toEqual([
      '/v1/kv?limit=1000&prefix=p%2F',
      '/v1/kv?limit=1000&prefix=p%2F&cursor=c1',
      '/v1/kv?limit=1000&prefix=p%2F&cursor=c1',
    ]);
  });

  it('has as much patience with the cluster where it had to wait for who reads', async () => {
    const giveUpMs = 60_000;
    const url = await listen((request, number) => {
      if (number === 2) return { status: 503, body: { code: 'UNAVAILABLE' } };
      const isFirst = request.searchParams.get('cursor') === null;
      const items = [{ ...ITEM, key: isFirst ? 'a' : 'b', value: 'x' }];
      return { status: 200, body: isFirst ? { items, cursor: 'c1' } : { items } };
    });
    const { client } = exportFrom(url);
    const nowMs = performance.now.bind(performance);
    let spentMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs() + spentMs);
    const write = (): Promise<void> => {
      spentMs += 2 * giveUpMs;
      return Promise.resolve();
    };
    const exported = exportTo({ write }, client, { prefix: '', giveUpMs }, never);
    expect(await exported.finally(() => clock.mockRestore())).toBe(2);
  });

  it.each(['bad prefix', 'bad prefix.'])(
    'stops with a reason at an error that will stay: %s',
    async (detail) => {
      const url = await listen(() => ({
        status: 400,
        body: { code: 'INVALID_ARGUMENT', detail },
      }));
      const { output, client } = exportFrom(url);
      await expect(exportTo(output, client, { prefix: '', giveUpMs: 5_000 }, never)).rejects.toMatchObject({
        message: 'The export stopped: bad prefix.',
        exitCode: 2,
      });
    },
  );

  it('writes what import reads back', () => {
    expect(lineOf({ ...ITEM, key: 'k', valueBase64: '/w==', contentType: 'image/png' })).toBe(
      '{"key":"k","valueBase64":"/w==","contentType":"image/png"}',
    );
  });
});
