/**
 * Plain reads and writes of one key, past the web framework (docs/adr/0010 has what that saves): a GET or a PUT of a short
 * value that says nothing of itself but what every client says. Whatever could be refused for its head, or means something
 * more, goes the framework's way as before (keys.controller.ts), which knows all that there is; so nothing is decided here
 * that is decided otherwise there.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { OperationalError, REST_LIMITS } from '@ringleader/contracts';
import type { Clock } from '@ringleader/primitives';
import { READ_KEY, WRITE_KEY } from '../access/access.js';
import type { Guard } from '../access/guard.js';
import type { HttpMetrics } from '../health/http-metrics.js';
import type { Admission } from '../http/admission.js';
import { writeAnswer } from '../http/answer.js';
import { refusedTurn } from '../http/connection.js';
import { LARGE_BYTES } from '../http/large-bodies.js';
import { problemAnswer } from '../http/problem.filter.js';
import type { ProblemFilter, RestError } from '../http/problem.filter.js';
import type { KnownHosts } from '../http/request-head.js';
import { KEY_ROUTE, keyOf, targetOf } from '../http/request-target.js';
import type { RequestTarget } from '../http/request-target.js';
import type { ShardDirectory } from '../routing/shard-directory.js';
import type { KeyValueStore } from './key-value-store.js';
import { readResult, servedBy, valueAnswer, writeResult, writtenAnswer } from './representation.js';
import type { ReadResult, WriteResult } from './representation.js';
import { contentTypeOf } from './request-context.js';

/** Those that mean something here, once each. */
const READ = ['Host', 'Authorization', 'Content-Type', 'Content-Length'] as const;
/** Those that change nothing about a value. Any other header, known or not, is for the framework's way. */
const OF_NO_EFFECT = [
  ...['Accept', 'Accept-Encoding', 'Accept-Language', 'Cache-Control', 'Connection', 'Cookie', 'DNT'],
  ...['Keep-Alive', 'Origin', 'Pragma', 'Priority', 'Referer', 'User-Agent', 'X-Request-Id'],
  ...['Sec-Fetch-Dest', 'Sec-Fetch-Mode', 'Sec-Fetch-Site', 'Sec-Fetch-User'],
  ...['Traceparent', 'Tracestate', 'Baggage'],
];

type HeaderKind = (typeof READ)[number] | 'noEffect';

/** By the two spellings that clients use; a third one is only slower. */
const HEADERS = new Map<string, HeaderKind>(
  [
    ...READ.map((name) => [name, name] as const),
    ...OF_NO_EFFECT.map((name) => [name, 'noEffect'] as const),
  ].flatMap(([name, kind]) => [
    [name, kind],
    [name.toLowerCase(), kind],
  ]),
);

const LINEARIZABLE = { kind: 'linearizable' } as const;
const NO_CONDITIONS: readonly [] = [];

interface PlainHead {
  contentType?: string;
  length?: string;
  authorization?: string;
}

interface PlainRequest {
  readonly key: string;
  readonly contentType: string;
  readonly bodyBytes: number;
  readonly authorization: string | undefined;
}

export interface HotKeysOptions {
  readonly store: KeyValueStore;
  readonly clock: Clock;
  readonly shards: ShardDirectory;
  readonly admission: Admission;
  readonly metrics: HttpMetrics;
  readonly hosts: KnownHosts;
  readonly guard: Guard;
  readonly filter: ProblemFilter;
}

export class HotKeys {
  constructor(private readonly options: HotKeysOptions) {}

  /** False for a request that is not plain: then nothing has been done with it. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const plain = this.plainRequest(request);
    if (plain === null || !this.mayPass(request, plain)) return false;
    const { admission, metrics, clock } = this.options;
    const startedAt = clock.monotonicMs();
    const admitted = { client: request.socket.remoteAddress ?? '', bytes: plain.bodyBytes };
    const refusal = admission.enter(admitted);
    response.on('close', () => {
      if (refusal === null) admission.leave(admitted);
      if (!response.writableFinished) return;
      metrics.observe(request.method ?? '', KEY_ROUTE, response.statusCode, clock.monotonicMs() - startedAt);
    });
    if (refusal !== null) refuse(request, response, refusal as RestError);
    else if (request.method === 'GET') void this.read(request, response, plain.key);
    else this.takeBody(request, response, plain);
    return true;
  }

  private plainRequest(request: IncomingMessage): PlainRequest | null {
    const { method } = request;
    if ((method !== 'GET' && method !== 'PUT') || request.httpVersion !== '1.1') return null;
    const target = targetOf(request);
    if (target.resource !== 'key' || target.query !== '' || target.authority !== null) return null;
    const head = this.plainHead(request);
    if (head === null || refusedTurn(request) !== null) return null;
    const bodyBytes = bodyBytesOf(method, head.length);
    return bodyBytes === null ? null : plainContent(target, head, bodyBytes);
  }

  private mayPass({ method }: IncomingMessage, { authorization, key }: PlainRequest): boolean {
    const { role } = method === 'GET' ? READ_KEY : WRITE_KEY;
    return this.options.guard.letsPass(authorization, role, key);
  }

  /** Null for one that says anything else, or anything twice. */
  private plainHead({ rawHeaders, socket }: IncomingMessage): PlainHead | null {
    let host: string | undefined;
    const head: PlainHead = {};
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const [name, value] = [rawHeaders[i] as string, rawHeaders[i + 1] as string];
      switch (HEADERS.get(name) ?? HEADERS.get(name.toLowerCase())) {
        case 'noEffect':
          continue;
        case 'Host':
          if (host !== undefined) return null;
          host = value;
          continue;
        case 'Authorization':
          if (head.authorization !== undefined) return null;
          head.authorization = value;
          continue;
        case 'Content-Type':
          if (head.contentType !== undefined) return null;
          head.contentType = value;
          continue;
        case 'Content-Length':
          head.length = value;
          continue;
        case undefined:
          return null;
      }
    }
    const isOurs = host !== undefined && this.options.hosts.refusal(host, socket.localAddress) === null;
    return isOurs ? head : null;
  }

  private async read(request: IncomingMessage, response: ServerResponse, key: string): Promise<void> {
    try {
      const outcome = await this.options.store.read(key, LINEARIZABLE, this.deadline());
      const result = readResult(key, outcome);
      if (result.kind === 'found') writeAnswer(response, valueAnswer(result, this.served(result)));
      else refuse(request, response, result.error, this.served(result));
    } catch (error) {
      this.fail(request, response, error);
    }
  }

  /** A client that goes away before the end of its body is told nothing: its connection is closed. */
  private takeBody(request: IncomingMessage, response: ServerResponse, plain: PlainRequest): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const value = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      void this.write(request, response, plain, value);
    });
  }

  private async write(
    request: IncomingMessage,
    response: ServerResponse,
    plain: PlainRequest,
    value: Buffer,
  ): Promise<void> {
    const { key, contentType } = plain;
    const operation = {
      kind: 'put',
      key,
      value,
      contentType,
      expiresAt: null,
      conditions: NO_CONDITIONS,
    } as const;
    try {
      const { authorization } = plain;
      const asked = this.options.guard.letsGoOn(request, authorization, WRITE_KEY.role, key);
      if (asked !== undefined) await asked;
      const outcome = await this.options.store.write(operation, null, this.deadline());
      const result = writeResult('put', key, outcome);
      if (result.kind === 'written')
        writeAnswer(response, writtenAnswer(key, result.reply, this.served(result)));
      else refuse(request, response, result.error, this.served(result));
    } catch (error) {
      this.fail(request, response, error);
    }
  }

  private fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { method = '', url = '' } = request;
    refuse(request, response, this.options.filter.restErrorOf(error, method, url));
  }

  private served(result: WriteResult | ReadResult): (string | number)[] {
    return servedBy(result, this.options.shards);
  }

  private deadline(): number {
    return this.options.clock.monotonicMs() + REST_LIMITS.timeoutMsDefault;
  }
}

/** Null where a GET has a body, or a PUT one that is large or whose length nobody said. */
function bodyBytesOf(method: 'GET' | 'PUT', length: string | undefined): number | null {
  if (method === 'GET') return length === undefined ? 0 : null;
  const bytes = Number(length);
  return bytes < LARGE_BYTES ? bytes : null;
}

function plainContent(
  target: RequestTarget,
  { contentType, authorization }: PlainHead,
  bodyBytes: number,
): PlainRequest | null {
  try {
    return { key: keyOf(target), contentType: contentTypeOf(contentType), bodyBytes, authorization };
  } catch (error) {
    if (error instanceof OperationalError) return null;
    throw error;
  }
}

function refuse(
  { url = '' }: IncomingMessage,
  response: ServerResponse,
  error: RestError,
  served: readonly (string | number)[] = [],
): void {
  const { status, headers, body } = problemAnswer(url, error);
  writeAnswer(response, { status, headers: [...served, ...headers], body });
}
