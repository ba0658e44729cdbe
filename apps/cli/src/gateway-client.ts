/**
 * The part of the REST API that the commands use. Of several gateways the next one is asked when one cannot be reached, and
 * whatever comes next when one cannot reach the cluster:
 * writes of keys carry an idempotency key, so that what was done through the first is not done again through the second.
 * Other changes have none: what the first may have done is asked of nobody else.
 */
import {
  CBOR_MEDIA_TYPE,
  CborError,
  type BinaryOperation,
  type BinaryResult,
  readBinaryResults,
  writeBinaryBatch,
} from '@ringleader/contracts';
import type {
  BatchOperation,
  BatchResult,
  ClusterView,
  CoordinatorMembers,
  Item,
  LeaderTransferred,
  MemberChanged,
  StoreCompacted,
  StoreHashes,
  TokenCreated,
  TokenList,
  TokenRequest,
} from '@ringleader/contracts';
import { CliFailure, EXIT, exitCodeOf } from './failure.js';

/** What a request to the gateway came to. A connection that broke has status 0. */
export interface Answer<Body> {
  readonly status: number;
  readonly body?: Body;
  readonly code?: string;
  readonly detail?: string;
  /** Under which the gateway's log tells more. */
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  /** Nobody has got the request: no gateway took the connection. */
  readonly neverSent?: boolean;
}

/** A change below /v1/cluster. */
export interface ClusterChange {
  readonly method: 'POST' | 'DELETE' | 'PATCH';
  readonly body?: object;
  /** What has to be the number still that was read with what is changed: an index, an epoch. */
  readonly ifMatch?: number | undefined;
}

export interface ListPage {
  readonly items: readonly Item[];
  readonly cursor?: string;
}

export interface GatewayClientOptions {
  readonly gateways: readonly string[];
  /** Aborted when no answer is wanted any more. */
  readonly signal: AbortSignal;
  /** The deadline that the gateway is given. */
  readonly timeoutMs?: number;
  /** Sent with every request. */
  readonly token?: string | undefined;
}

const TIMEOUT_MS = 30_000;
/** The gateway's deadline should be the one that ends a request: it knows what became of it. */
const PATIENCE_MS = 5_000;

const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export class GatewayClient {
  private current = 0;

  constructor(private readonly options: GatewayClientOptions) {}

  /** Those that are asked, for messages. */
  get names(): string {
    return this.options.gateways.join(', ');
  }

  /** By Ctrl-C: then no answer says anything about the cluster. */
  get isStopped(): boolean {
    return this.options.signal.aborted;
  }

  cluster(): Promise<Answer<ClusterView>> {
    return this.request('/v1/cluster', { method: 'GET' }, 'members');
  }

  coordinators(): Promise<Answer<CoordinatorMembers>> {
    return this.request('/v1/cluster/coordinator/members', { method: 'GET' }, 'members');
  }

  coordinatorHashes(revision?: number): Promise<Answer<StoreHashes>> {
    const query = revision === undefined ? '' : `?revision=${revision}`;
    return this.request(`/v1/cluster/coordinator/hash${query}`, { method: 'GET' }, 'members');
  }

  /** `path` is what stands behind `/v1/cluster`; `mark` is what only an answer of ours has. */
  read<Body extends object>(path: string, mark: keyof Body): Promise<Answer<Body>> {
    return this.request(`/v1/cluster${path}`, { method: 'GET' }, mark);
  }

  change<Body extends object>(path: string, change: ClusterChange, mark: keyof Body): Promise<Answer<Body>> {
    const { method, body, ifMatch } = change;
    const init = {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(ifMatch !== undefined && { 'if-match': `"${ifMatch}"` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    return this.request(`/v1/cluster${path}`, init, mark);
  }

  changeCoordinators<Body extends MemberChanged | LeaderTransferred | StoreCompacted>(
    path: string,
    change: ClusterChange,
    mark: keyof Body,
  ): Promise<Answer<Body>> {
    return this.change(`/coordinator${path}`, change, mark);
  }

  createToken(asked: TokenRequest): Promise<Answer<TokenCreated>> {
    const headers = { 'content-type': 'application/json' };
    return this.request('/v1/tokens', { method: 'POST', headers, body: JSON.stringify(asked) }, 'id');
  }

  tokens(): Promise<Answer<TokenList>> {
    return this.request('/v1/tokens', { method: 'GET' }, 'items');
  }

  revokeToken(id: string): Promise<Answer<object>> {
    const init = { method: 'DELETE' };
    return this.firstOf((gateway) => this.ask(`${gateway}/v1/tokens/${id}`, init, () => ({})), false);
  }

  batch(
    operations: readonly BatchOperation[],
    idempotencyKey: string,
    query = '',
  ): Promise<Answer<{ results: BatchResult[] }>> {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
      body: JSON.stringify({ operations }),
    };
    return this.request(`/v1/kv:batch${query}`, init, 'results');
  }

  /** The same in fewer bytes, and at a third of what it costs both sides: for who has many. */
  binaryBatch(
    operations: readonly BinaryOperation[],
    idempotencyKey: string,
  ): Promise<Answer<{ results: readonly BinaryResult[] }>> {
    const init = {
      method: 'POST',
      headers: {
        'content-type': CBOR_MEDIA_TYPE,
        accept: CBOR_MEDIA_TYPE,
        'idempotency-key': idempotencyKey,
      },
      body: new Uint8Array(writeBinaryBatch(operations)),
    };
    return this.firstOf<{ results: readonly BinaryResult[] }>(
      (gateway) => this.ask(`${gateway}/v1/kv:batch`, init, binaryResults),
      true,
      ({ code, body }) => isUnavailable({ code }) || body?.results.every(isUnavailable) === true,
    );
  }

  list(query: Readonly<Record<string, string>>): Promise<Answer<ListPage>> {
    return this.request(`/v1/kv?${new URLSearchParams(query).toString()}`, { method: 'GET' }, 'items');
  }

  /** Its deadline is that of its beginning. */
  coordinatorSnapshot(from?: string): Promise<Answer<ReadableStream<Uint8Array>>> {
    const query = from === undefined ? '' : `?${new URLSearchParams({ from }).toString()}`;
    return this.firstOf((gateway) => this.begin(`${gateway}/v1/cluster/coordinator/snapshot${query}`));
  }

  /** `list` is what the answer has a list of, or what else only an answer of ours has. */
  private request<Body extends object>(
    path: string,
    init: RequestInit,
    list: keyof Body,
  ): Promise<Answer<Body>> {
    const isRepeatable = init.method === 'GET' || new Headers(init.headers).has('idempotency-key');
    return this.firstOf(
      (gateway) => this.ask(`${gateway}${path}`, init, (body) => parsed(body.toString(), list)),
      isRepeatable,
    );
  }

  private async firstOf<Body>(
    ask: (gateway: string) => Promise<Answer<Body>>,
    isRepeatable = true,
    reachesNobody: (answer: Answer<Body>) => boolean = isUnavailable,
  ): Promise<Answer<Body>> {
    const { gateways, signal } = this.options;
    let answer: Answer<Body> = { status: 0, neverSent: true };
    const first = this.current;
    for (let tried = 0; tried < gateways.length; tried += 1) {
      const asked = (first + tried) % gateways.length;
      const next = await ask(gateways[asked] ?? '');
      // Once one of them may have got it, it may have been done, whatever the others say.
      const neverSent = answer.neverSent === true && next.neverSent === true;
      answer = { ...next, neverSent };
      if (signal.aborted) return answer;
      this.passOver(asked, () => next.status === 0 || reachesNobody(next));
      // It may be as unavailable everywhere: whoever tries again does so at the next one.
      if (answer.status !== 0) return answer;
      // The next one would do it a second time, or say that it cannot be done any more.
      if (!isRepeatable && !neverSent) return answer;
    }
    return answer;
  }

  /** Once, however many requests it has failed at the same time: some would come back to it. */
  private passOver(asked: number, isOfNoUse: () => boolean): void {
    if (this.current === asked && isOfNoUse()) this.current = (asked + 1) % this.options.gateways.length;
  }

  /** `read` throws where what answers is no gateway of ours. */
  private async ask<Body extends object>(
    url: string,
    init: RequestInit,
    read: (body: Buffer) => Body,
  ): Promise<Answer<Body>> {
    const { timeoutMs = TIMEOUT_MS } = this.options;
    const headers = { ...(init.headers as Record<string, string>), ...this.commonHeaders(timeoutMs) };
    const signal = AbortSignal.any([this.options.signal, AbortSignal.timeout(timeoutMs + PATIENCE_MS)]);
    try {
      const response = await fetch(url, { ...init, headers, signal });
      const { status } = response;
      const body = Buffer.from(await response.arrayBuffer());
      if (response.ok) return { status, body: read(body) };
      return { status, ...retryAfter(response), ...problemOf(body.toString(), status) };
    } catch (error) {
      return brokenBy(error);
    }
  }

  private async begin(url: string): Promise<Answer<ReadableStream<Uint8Array>>> {
    const { timeoutMs = TIMEOUT_MS } = this.options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs + PATIENCE_MS);
    const signal = AbortSignal.any([this.options.signal, late.signal]);
    try {
      const response = await fetch(url, { headers: this.commonHeaders(timeoutMs), signal });
      if (response.ok && response.body !== null) return { status: response.status, body: response.body };
      return { status: response.status, ...problemOf(await response.text(), response.status) };
    } catch (error) {
      return brokenBy(error);
    } finally {
      clearTimeout(timer);
    }
  }

  private commonHeaders(timeoutMs: number): Record<string, string> {
    const { token } = this.options;
    return {
      'ringleader-timeout-ms': String(timeoutMs),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
  }
}

const isUnavailable = ({ code }: { readonly code?: string | undefined }): boolean => code === 'UNAVAILABLE';

function brokenBy(error: unknown): Answer<never> {
  const { message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  const detail = cause instanceof Error ? `${message}: ${cause.message}` : message;
  // Ports of other protocols, as 6666, are refused by fetch itself, without a code.
  const neverSent = NEVER_SENT.has(cause?.code ?? '') || cause?.message === 'bad port';
  return { status: 0, detail, neverSent };
}

function binaryResults(body: Buffer): { results: readonly BinaryResult[] } {
  try {
    return { results: readBinaryResults(body) };
  } catch (error) {
    if (error instanceof CborError) throw noGateway(error);
    throw error;
  }
}

function noGateway(cause?: Error): Error {
  return new Error('what answers is no gateway of Ringleader', { cause });
}

/** Whatever program listens there may answer, and in JSON, too. */
function parsed<Body>(text: string, list: keyof Body): Body {
  const body = JSON.parse(text) as Partial<Body> | null;
  const mark: unknown = body?.[list];
  if (['object', 'number', 'string'].includes(typeof mark)) return body as Body;
  throw noGateway();
}

/** The body of an answer, or the failure that the answer is. `isWrite`: a broken connection leaves its outcome open. */
export function bodyOf<Body>(answer: Answer<Body>, client: GatewayClient, isWrite = false): Body {
  if (answer.body !== undefined) return answer.body;
  const { status, code } = answer;
  if (status === 0) throw unanswered(answer, client, isWrite && answer.neverSent !== true);
  // What stands before the gateways may have passed the write on.
  if (isWrite && code === undefined && status >= 500) throw refusal(answer, EXIT.unknown);
  throw refusal(answer);
}

function unanswered(
  { detail = 'no answer' }: Answer<unknown>,
  client: GatewayClient,
  isOpen: boolean,
): CliFailure {
  const { isStopped, names } = client;
  if (isOpen) {
    const what = isStopped ? 'Stopped' : 'The connection broke';
    const sentence = `${what}; the write may or may not have been done (${detail}).`;
    return new CliFailure(sentence, { exitCode: EXIT.unknown });
  }
  if (isStopped) return new CliFailure('Stopped.', { exitCode: EXIT.stopped });
  const sentence = `No gateway answers at ${names} (${detail}): start a cluster with npm start, or name a gateway with --gateway.`;
  return new CliFailure(sentence, { exitCode: EXIT.nothingDone });
}

/** What a status of 400 or more comes with. */
type Refusal = { [Field in 'code' | 'detail' | 'requestId']?: string | undefined } & {
  readonly status: number;
};

/** A status of 400 or more, of a whole answer or of one result in a batch, as a failure. */
export function refusal(
  { status, code, detail, requestId }: Refusal,
  exitCode = exitCodeOf(status, code),
): CliFailure {
  return new CliFailure(detail ?? code ?? `The gateway answered with status ${status}.`, {
    exitCode,
    status,
    ...(code === undefined ? {} : { code }),
    ...(requestId === undefined ? {} : { requestId }),
  });
}

function retryAfter(response: Response): { retryAfterMs?: number } {
  const value = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(value) ? { retryAfterMs: value * 1000 } : {};
}

/** Something between us and the gateway may answer in a form of its own: then the status alone speaks. */
function problemOf(text: string, status: number): Pick<Answer<unknown>, 'code' | 'detail' | 'requestId'> {
  try {
    const { code, detail, id } = JSON.parse(text) as { code?: string; detail?: string; id?: string };
    return {
      ...(code === undefined ? {} : { code }),
      ...(detail === undefined ? {} : { detail }),
      ...(id === undefined ? {} : { requestId: id }),
    };
  } catch {
    return { detail: `The answer has status ${status}, and none of the words of a gateway of Ringleader.` };
  }
}
