import type { BatchResult, Item } from '@ringleader/contracts';
import type { PutOperation } from './import-line.js';

/** What a request to the gateway came to. A connection that broke has no status. */
export interface Answer<Body> {
  readonly status: number;
  readonly body?: Body;
  readonly code?: string;
  readonly detail?: string;
  readonly retryAfterMs?: number;
}

export interface ListPage {
  readonly items: readonly Item[];
  readonly cursor?: string;
}

/** Longer than the gateway's own deadline, which is asked for in the request: it should be the one to give up. */
const TIMEOUT_MS = 30_000;
const PATIENCE_MS = 5_000;

interface Problem {
  readonly code?: string;
  readonly detail?: string;
}

/** The part of the REST API that moves data in bulk. */
export class GatewayClient {
  constructor(
    readonly url: string,
    private readonly signal: AbortSignal,
  ) {}

  async clusterId(): Promise<string> {
    const { body } = await this.#request<{ id: string | null }>('/v1/cluster', { method: 'GET' });
    return body?.id ?? '';
  }

  putBatch(
    operations: readonly PutOperation[],
    idempotencyKey: string,
  ): Promise<Answer<{ results: BatchResult[] }>> {
    return this.#request('/v1/kv:batch', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
      body: JSON.stringify({ operations }),
    });
  }

  list(query: Readonly<Record<string, string>>): Promise<Answer<ListPage>> {
    return this.#request(`/v1/kv?${new URLSearchParams(query).toString()}`, { method: 'GET' });
  }

  async #request<Body>(path: string, init: RequestInit): Promise<Answer<Body>> {
    const headers = {
      ...(init.headers as Record<string, string>),
      'ringleader-timeout-ms': String(TIMEOUT_MS),
    };
    const signal = AbortSignal.any([this.signal, AbortSignal.timeout(TIMEOUT_MS + PATIENCE_MS)]);
    try {
      const response = await fetch(`${this.url}${path}`, { ...init, headers, signal });
      const text = await response.text();
      if (response.ok) return { status: response.status, body: JSON.parse(text) as Body };
      return { status: response.status, ...retryAfter(response), ...problemOf(text) };
    } catch (error) {
      const { message, cause } = error as Error;
      return { status: 0, detail: cause instanceof Error ? `${message}: ${cause.message}` : message };
    }
  }
}

function retryAfter(response: Response): { retryAfterMs?: number } {
  const value = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(value) ? { retryAfterMs: value * 1000 } : {};
}

/** Something between us and the gateway may answer in a form of its own: then the status alone speaks. */
function problemOf(text: string): Problem {
  try {
    const { code, detail } = JSON.parse(text) as Problem;
    return { ...(code === undefined ? {} : { code }), ...(detail === undefined ? {} : { detail }) };
  } catch {
    return { detail: text.slice(0, 200) };
  }
}
