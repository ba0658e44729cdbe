/**
 * What the benchmark can be pointed at: Ringleader's gateways, or a peer that runs beside it. Each target does the same
 * four things, so that ratios compare like with like.
 */
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';

export interface Target {
  readonly name: string;
  put(key: string, value: string): Promise<boolean>;
  get(key: string): Promise<boolean>;
  /** Puts of all keys in one request. */
  putBatch(keys: readonly string[], value: string): Promise<boolean>;
  close(): Promise<void>;
}

type Body = string | null;

class HttpTarget {
  private readonly pools: Pool[];
  private next = 0;

  constructor(urls: readonly string[], connections: number) {
    const each = Math.ceil(connections / urls.length);
    this.pools = urls.map((url) => new Pool(url, { connections: each, pipelining: 1 }));
  }

  async send(
    method: Dispatcher.HttpMethod,
    path: string,
    body: Body,
    contentType: string,
  ): Promise<Buffer | null> {
    const pool = this.pools[this.next++ % this.pools.length];
    if (pool === undefined) return null;
    try {
      const answer = await pool.request({ method, path, body, headers: { 'content-type': contentType } });
      const bytes = Buffer.from(await answer.body.arrayBuffer());
      return answer.statusCode < 300 ? bytes : null;
    } catch (error) {
      // Counted as a failure of the request; the connection is made anew.
      if (error instanceof Error) return null;
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.pools.map((pool) => pool.destroy()));
  }
}

export function ringleaderTarget(urls: readonly string[], connections: number): Target {
  const http = new HttpTarget(urls, connections);
  const path = (key: string): string => `/v1/kv/${encodeURIComponent(key)}`;
  return {
    name: 'ringleader',
    put: async (key, value) => (await http.send('PUT', path(key), value, 'text/plain')) !== null,
    get: async (key) => (await http.send('GET', path(key), null, 'text/plain')) !== null,
    putBatch: async (keys, value) => {
      const operations = keys.map((key) => ({ op: 'put', key, value }));
      const answer = await http.send(
        'POST',
        '/v1/kv:batch',
        JSON.stringify({ operations }),
        'application/json',
      );
      if (answer === null) return false;
      const { results } = JSON.parse(answer.toString()) as { results: { status: number }[] };
      return results.every(({ status }) => status < 300);
    },
    close: () => http.close(),
  };
}

/** etcd through its own JSON gateway: REST against REST. (Its gRPC interface costs the servers less.) */
export function etcdTarget(urls: readonly string[], connections: number): Target {
  const http = new HttpTarget(urls, connections);
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const post = async (path: string, body: unknown): Promise<boolean> =>
    (await http.send('POST', path, JSON.stringify(body), 'application/json')) !== null;
  return {
    name: 'etcd',
    put: (key, value) => post('/v3/kv/put', { key: encode(key), value: encode(value) }),
    get: (key) => post('/v3/kv/range', { key: encode(key) }),
    putBatch: (keys, value) =>
      post('/v3/kv/txn', {
        success: keys.map((key) => ({ requestPut: { key: encode(key), value: encode(value) } })),
      }),
    close: () => http.close(),
  };
}
