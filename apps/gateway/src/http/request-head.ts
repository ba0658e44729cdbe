/**
 * The head of a request, before anything is done for it: headers line by line as they were received (Node joins or drops
 * the lines of a header that is sent twice, and which of two keys or types the client meant is not for us to guess), and
 * what this server does not do, refused rather than ignored.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { NotFoundException } from '@nestjs/common';
import { OperationalError, REST_HEADERS } from '@ringleader/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { refuseConditions } from '../kv/preconditions.js';
import { SAFE_METHODS, refusedTurn } from './connection.js';
import { sendProblem } from './problem.filter.js';
import type { ProblemFilter, RestError } from './problem.filter.js';
import { KEY_ROUTE, ROUTED_KEY, isApi, parseQuery, targetOf } from './request-target.js';

const NO_PARAMETERS: readonly string[] = [];

/** Those that are not lists: one line each. A repeated Content-Length is refused by the parser. */
const SINGLE = new Map(
  [
    'Host',
    'Authorization',
    'Content-Type',
    'Content-Range',
    'If-Modified-Since',
    'If-Unmodified-Since',
    REST_HEADERS.idempotencyKey,
    REST_HEADERS.timeoutMs,
  ].map((name) => [name.toLowerCase(), name]),
);
const LENGTHS = new Set([...SINGLE.keys()].map(({ length }) => length));
const CONTINUE = '100-continue';

/** What is wrong with the head of any request; null when nothing is. */
function refusedHead(message: IncomingMessage, hosts: KnownHosts): OperationalError | null {
  return (
    refusedTurn(message) ??
    repeatedHeader(message) ??
    misdirected(message, hosts) ??
    targetOf(message).refusal ??
    refusedFraming(message) ??
    refusedContent(message)
  );
}

/** Whether the client waits for a word before it sends the body. Of HTTP/1.0 it cannot be (RFC 9110, 10.1.1). */
export function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.expect?.toLowerCase() === CONTINUE && httpVersion === '1.1';
}

function repeatedHeader({ rawHeaders }: IncomingMessage): OperationalError | null {
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const received = rawHeaders[i] as string;
    if (!LENGTHS.has(received.length)) continue;
    const name = SINGLE.get(received.toLowerCase());
    if (name === undefined) continue;
    if (seen.has(name)) return refusal(name, `${name} is given twice`);
    seen.add(name);
  }
  return null;
}

function misdirected(message: IncomingMessage, hosts: KnownHosts): OperationalError | null {
  const { headers, httpVersion, socket } = message;
  if (headers.host === undefined && httpVersion === '1.1') {
    return refusal('Host', 'A request of HTTP/1.1 has a Host header');
  }
  const host = targetOf(message).authority ?? headers.host;
  return host === undefined ? null : hosts.refusal(host, socket.localAddress);
}

/** Others on the way may have read where its body ends in another way, so what follows is nobody's (RFC 9112, 6.1). */
function isFramedOddly({ headers, httpVersion }: IncomingMessage): boolean {
  const encoding = headers['transfer-encoding'];
  return encoding !== undefined && (httpVersion === '1.0' || encoding.toLowerCase() !== 'chunked');
}

function refusedFraming(message: IncomingMessage): OperationalError | null {
  const { headers, httpVersion } = message;
  if (isFramedOddly(message)) {
    if (httpVersion === '1.0') return refusal('Transfer-Encoding', 'HTTP/1.0 has no Transfer-Encoding');
    const allowed = ['chunked'];
    return refusal('Transfer-Encoding', 'Bodies may be chunked, and nothing else', { allowed });
  }
  const { expect } = headers;
  if (expect === undefined || httpVersion === '1.0' || expect.toLowerCase() === CONTINUE) return null;
  return new OperationalError(
    'EXPECTATION_FAILED',
    `Of what a request can expect there is only ${CONTINUE}`,
    {
      allowed: [CONTINUE],
    },
  );
}

function refusedContent({ headers, method }: IncomingMessage): OperationalError | null {
  if (headers['content-range'] !== undefined) {
    return refusal('Content-Range', 'A value is written whole: there are no partial writes');
  }
  const coding = headers['content-encoding'];
  if (coding === undefined || SAFE_METHODS.has(method) || /^\s*(?:identity)?\s*$/i.test(coding)) return null;
  const detail = 'Bodies are taken without a Content-Encoding: it would not be kept with the value';
  return new OperationalError('UNSUPPORTED_MEDIA_TYPE', detail, {
    contentEncoding: coding,
    allowed: ['identity'],
  });
}

function refusal(
  header: string,
  detail: string,
  fields: Readonly<Record<string, unknown>> = {},
): OperationalError {
  return new OperationalError('INVALID_ARGUMENT', detail, { header, ...fields });
}

const CONTENT_TYPE = Symbol('received Content-Type');

interface Marked extends IncomingMessage {
  [CONTENT_TYPE]?: string | undefined;
}

/**
 * The web framework refuses a Content-Type that it cannot parse, but here it is a part of the value, whatever it is: so it
 * is taken away before the framework looks.
 */
export function takeContentType(message: IncomingMessage): void {
  const { headers } = message;
  (message as Marked)[CONTENT_TYPE] = headers['content-type'];
  // Not deleted: that would slow down an object that is read all the time.
  (headers as Record<string, string | undefined>)['content-type'] = undefined;
}

export function receivedContentType(message: IncomingMessage): string | undefined {
  return (message as Marked)[CONTENT_TYPE];
}

/** RFC 9110, 7.2: a name, an IPv4 address or an IPv6 address in brackets, and perhaps a port. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9\-._~!$&'()*+,;=%]+)(?::\d{0,5})?$/i;
const LOCALHOST = /^(?:.*\.)?localhost$/;
const ANY = '*';

function isLoopback(host: string): boolean {
  return LOCALHOST.test(host) || host === '::1' || (host.startsWith('127.') && isIP(host) === 4);
}

/**
 * Which hosts this gateway answers for. A page of somebody else's can make a browser call any address under a name of its
 * own (DNS rebinding); the name gives it away. Ours are loopback, the address that the connection came to, and what is
 * configured.
 */
export class KnownHosts {
  private readonly names = new Set<string>();
  /** With the dot that they begin with. */
  private readonly suffixes: string[] = [];
  /** What was asked last, and was ours: mostly what is asked next. */
  private last: { readonly received: string; readonly localAddress: string | undefined } | null = null;

  /** Names and addresses; `*.example.com` is every name below example.com, `*` any host at all. */
  constructor(hosts: readonly string[]) {
    for (const host of hosts) {
      if (host.startsWith('*.')) this.suffixes.push(host.slice(1).toLowerCase());
      else this.names.add(host === ANY ? ANY : plainHost(host));
    }
  }

  /** Null for a host of ours. `localAddress` is where the connection came to. */
  refusal(received: string, localAddress: string | undefined): OperationalError | null {
    if (received === this.last?.received && localAddress === this.last.localAddress) return null;
    const host = HOST.exec(received)?.[1];
    if (host === undefined) {
      const detail = 'Host is a name or an address, with or without a port';
      return new OperationalError('INVALID_ARGUMENT', detail, { header: 'Host' });
    }
    if (this.isOurs(plainHost(host), localAddress)) {
      this.last = { received, localAddress };
      return null;
    }
    const detail =
      'This gateway does not answer for this host: RINGLEADER_HTTP_HOSTS lists the names that it has besides its address';
    return new OperationalError('MISDIRECTED_REQUEST', detail, { host });
  }

  private isOurs(host: string, localAddress: string | undefined): boolean {
    if (isLoopback(host) || this.names.has(host) || this.names.has(ANY)) return true;
    if (this.suffixes.some((suffix) => host.endsWith(suffix))) return true;
    return localAddress !== undefined && host === plainHost(localAddress);
  }
}

/** Lower case, without brackets, final dot or what makes an IPv4 address one of IPv6. */
function plainHost(host: string): string {
  const plain = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .replace(/^::ffff:(?=\d+\.)/, '');
  // The one spelling of an IPv6 address.
  return isIP(plain) === 6 ? new URL(`http://[${plain}]`).hostname.slice(1, -1) : plain;
}

const LAST_IS_PARAMETER = /^(.*\/):[^:/]+$/;
const ANY_LAST = /^(.*\/)[^/]+$/;

/** Which paths there are, and with which methods: to tell an unknown path from a wrong method. */
export class KnownRoutes {
  private readonly methods = new Map<string, Set<string>>();
  /** Paths that end with a parameter, by what stands before it. */
  private readonly withParameter = new Map<string, string>();

  /** As the web framework names it: an escaped colon is written twice. */
  add(url: string, method: string | readonly string[]): void {
    const path = url.replaceAll('::', ':');
    const [, parent] = LAST_IS_PARAMETER.exec(url) ?? [];
    if (parent !== undefined) this.withParameter.set(parent, path);
    // Every resource has OPTIONS, which says what else it has.
    const known = this.methods.get(path) ?? new Set(['OPTIONS']);
    for (const name of typeof method === 'string' ? [method] : method) known.add(name);
    this.methods.set(path, known);
  }

  /** Sorted; null for a path that there is not. */
  methodsOf(path: string): readonly string[] | null {
    const methods =
      this.methods.get(path === ROUTED_KEY ? KEY_ROUTE : path) ??
      this.methods.get(this.withParameter.get(ANY_LAST.exec(path)?.[1] ?? '') ?? '');
    return methods === undefined ? null : [...methods].sort();
  }

  get all(): readonly string[] {
    return [...new Set([...this.methods.values()].flatMap((methods) => [...methods]))].sort();
  }
}

export interface HeadChecks {
  readonly filter: ProblemFilter;
  readonly routes: KnownRoutes;
  readonly hosts: KnownHosts;
}

/** Before anything else is done for a request. */
export function refuseHeads(
  fastify: FastifyInstance,
  { filter, hosts }: Pick<HeadChecks, 'filter' | 'hosts'>,
): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('Cache-Control', 'no-cache');
    const { raw } = request;
    const refusal = refusedHead(raw, hosts);
    if (refusal !== null) {
      if (isFramedOddly(raw)) reply.header('Connection', 'close');
      sendProblem(request, reply, refusal as RestError);
      return;
    }
    if (request.is404) {
      done();
      return;
    }
    try {
      // The resources below /v1 know their own parameters and conditions; the others have none.
      if (!isApi(targetOf(raw))) {
        parseQuery(targetOf(raw).query, NO_PARAMETERS);
        refuseConditions(raw.headers, 'page');
      }
      refuseIdempotencyKey(raw);
    } catch (error) {
      filter.answer(error, request, reply);
      return;
    }
    done();
  });
}

/** Who names a write counts on it that it is done once, which only those of keys are. */
function refuseIdempotencyKey(message: IncomingMessage): void {
  const { headers, method } = message;
  const isKeyed = targetOf(message).resource !== 'other' || SAFE_METHODS.has(method);
  if (isKeyed || headers[REST_HEADERS.idempotencyKey.toLowerCase()] === undefined) return;
  const { idempotencyKey } = REST_HEADERS;
  throw refusal(
    idempotencyKey,
    `${idempotencyKey} goes with writes of keys and batches; others are not told from repeats`,
  );
}

/** What there is no resource for, once it is known who asks. */
export function refuseUnrouted(
  fastify: FastifyInstance,
  checks: Pick<HeadChecks, 'filter' | 'routes'>,
): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.is404) answerUnrouted(request, reply, checks);
    else done();
  });
}

/** OPTIONS tells the methods that there are. Of other origins it says nothing: none may use this API from a browser. */
function answerUnrouted(
  request: FastifyRequest,
  reply: FastifyReply,
  { filter, routes }: Pick<HeadChecks, 'filter' | 'routes'>,
): void {
  const target = targetOf(request.raw);
  const allow = target.isServer ? routes.all : routes.methodsOf(target.path);
  if (request.method === 'OPTIONS' && allow !== null) {
    void reply.code(204).header('Allow', allow.join(', ')).send();
    return;
  }
  filter.answer(new NotFoundException(), request, reply);
}
