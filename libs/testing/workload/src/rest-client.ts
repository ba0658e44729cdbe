/**
 * A client of the gateway as a user would write one: HTTP, nothing shared with the gateway's code. What came back is
 * classified by what it says about the operation: done, refused with nothing done, or unknown.
 */
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';

export interface WriteOptions {
  /** A quoted revision, or `*`. */
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  readonly idempotencyKey?: string;
  readonly timeoutMs?: number;
}

export interface ReadOptions {
  readonly consistency?: 'linearizable' | 'stale';
  readonly maxStalenessMs?: number;
  readonly timeoutMs?: number;
}

export interface RestAnswer {
  /** 0 when the connection broke before an answer came. */
  readonly status: number;
  /** The problem document's code; '' without one. */
  readonly code: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface BatchOperation {
  readonly op: 'put' | 'get' | 'delete';
  readonly key: string;
  readonly value?: string;
}

/** How to reach a gateway that is not open to everybody. */
export interface RestAccess {
  /** Authorities to trust instead of the system's, as PEM. */
  readonly ca?: string;
  /** The name that the gateway's certificate has to have, where that is not the host of the URL. */
  readonly serverName?: string;
  readonly token?: string;
}

const EXTRA_WAIT_MS = 5_000;
const DEFAULT_TIMEOUT_MS = 5_000;

export class RestClient {
  private readonly pool: Pool;
  private readonly identity: Readonly<Record<string, string>>;

  constructor(
    readonly url: string,
    connections: number,
    { ca, serverName, token }: RestAccess = {},
  ) {
    const connect = {
      ...(ca === undefined ? {} : { ca }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    };
    this.pool = new Pool(url, { connections, pipelining: 1, keepAliveTimeout: 30_000, connect });
    this.identity = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  put(key: string, value: string | Uint8Array, options: WriteOptions = {}): Promise<RestAnswer> {
    return this.send(
      { method: 'PUT', path: keyPath(key), body: value },
      writeHeaders(options),
      options.timeoutMs,
    );
  }

  delete(key: string, options: WriteOptions = {}): Promise<RestAnswer> {
    return this.send({ method: 'DELETE', path: keyPath(key) }, writeHeaders(options), options.timeoutMs);
  }

  get(key: string, options: ReadOptions = {}): Promise<RestAnswer> {
    const query = new URLSearchParams();
    if (options.consistency !== undefined) query.set('consistency', options.consistency);
    if (options.maxStalenessMs !== undefined) query.set('maxStalenessMs', String(options.maxStalenessMs));
    const text = query.size === 0 ? '' : `?${query.toString()}`;
    return this.send({ method: 'GET', path: keyPath(key) + text }, {}, options.timeoutMs);
  }

  batch(operations: readonly BatchOperation[], timeoutMs?: number): Promise<RestAnswer> {
    return this.request('POST', '/v1/kv:batch', { operations }, timeoutMs);
  }

  list(query: Readonly<Record<string, string>>, timeoutMs?: number): Promise<RestAnswer> {
    return this.request('GET', `/v1/kv?${new URLSearchParams(query).toString()}`, undefined, timeoutMs);
  }

  request(
    method: Dispatcher.HttpMethod,
    path: string,
    json?: unknown,
    timeoutMs?: number,
  ): Promise<RestAnswer> {
    if (json === undefined) return this.send({ method, path }, {}, timeoutMs);
    return this.send(
      { method, path, body: JSON.stringify(json) },
      { 'content-type': 'application/json' },
      timeoutMs,
    );
  }

  close(): Promise<void> {
    return this.pool.destroy();
  }

  private async send(
    request: {
      readonly method: Dispatcher.HttpMethod;
      readonly path: string;
      readonly body?: string | Uint8Array;
    },
    headers: Record<string, string>,
    timeoutMs = DEFAULT_TIMEOUT_MS,
  ): Promise<RestAnswer> {
    // The server answers at its deadline; this bound is for a server that does not answer at all.
    const waitMs = timeoutMs + EXTRA_WAIT_MS;
    try {
      const answer = await this.pool.request({
        ...request,
        body: request.body ?? null,
        headers: { ...headers, ...this.identity, 'ringleader-timeout-ms': String(timeoutMs) },
        headersTimeout: waitMs,
        bodyTimeout: waitMs,
        signal: AbortSignal.timeout(waitMs),
      });
      const body = Buffer.from(await answer.body.arrayBuffer());
      return {
        status: answer.statusCode,
        code: problemCode(answer.headers, body),
        headers: answer.headers,
        body,
      };
    } catch (error) {
      return { status: 0, code: `CONNECTION: ${String(error)}`, headers: {}, body: Buffer.alloc(0) };
    }
  }
}

function keyPath(key: string): string {
  return `/v1/kv/${encodeURIComponent(key)}`;
}

function writeHeaders(options: WriteOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  if (options.ifMatch !== undefined) headers['if-match'] = options.ifMatch;
  if (options.ifNoneMatch !== undefined) headers['if-none-match'] = options.ifNoneMatch;
  if (options.idempotencyKey !== undefined) headers['idempotency-key'] = options.idempotencyKey;
  return headers;
}

function problemCode(headers: RestAnswer['headers'], body: Buffer): string {
  if (!String(headers['content-type']).startsWith('application/problem+json')) return '';
  const problem = JSON.parse(body.toString('utf8')) as { code?: unknown };
  return typeof problem.code === 'string' ? problem.code : '';
}
