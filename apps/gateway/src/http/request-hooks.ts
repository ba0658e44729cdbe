/**
 * What happens to every request before its resource sees it: refused where its head is wrong, admitted or not, its body
 * taken as it is. All of it before a client that asks first (Expect: 100-continue) is invited to send the body.
 */
import type { IncomingMessage } from 'node:http';
import { NotFoundException } from '@nestjs/common';
import { OperationalError, REST_LIMITS } from '@ringleader/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { batchHead } from '../kv/batch.controller.js';
import { checkWriteHead } from '../kv/keys.controller.js';
import { sendProblem } from '../problems/problem.filter.js';
import type { ProblemFilter, RestError } from '../problems/problem.filter.js';
import type { Admission, Admitted } from './admission.js';
import { expectsContinue, refusedHead, takeContentType } from './request-head.js';
import type { KnownHosts } from './request-head.js';
import { API_PATH, KEY_ROUTE, ROUTED_KEY, parseQuery, targetOf } from './request-target.js';

interface BodyLimit {
  readonly bytesMax: number;
  readonly code: 'VALUE_TOO_LARGE' | 'REQUEST_TOO_LARGE';
}

const NO_PARAMETERS: readonly string[] = [];
const VALUE_LIMIT: BodyLimit = { bytesMax: REST_LIMITS.valueBytesMax, code: 'VALUE_TOO_LARGE' };
const BATCH_LIMIT: BodyLimit = { bytesMax: REST_LIMITS.batchBytesMax, code: 'REQUEST_TOO_LARGE' };

/**
 * A body that is too large is read to its end and dropped, up to so much, so that the client comes to read the refusal:
 * cutting the connection while it still sends would reset it.
 */
const DROPPED_BYTES_MAX = 16_777_216;

/** Which paths there are, and with which methods: to tell an unknown path from a wrong method. */
export class KnownRoutes {
  private readonly methods = new Map<string, Set<string>>();

  /** As the web framework names it: an escaped colon is written twice. */
  add(url: string, method: string | readonly string[]): void {
    const path = url.replaceAll('::', ':');
    // Every resource has OPTIONS, which says what else it has.
    const known = this.methods.get(path) ?? new Set(['OPTIONS']);
    for (const name of typeof method === 'string' ? [method] : method) known.add(name);
    this.methods.set(path, known);
  }

  /** Sorted; null for a path that there is not. */
  methodsOf(path: string): readonly string[] | null {
    const methods = this.methods.get(path === ROUTED_KEY ? KEY_ROUTE : path);
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

export function refuseHeads(fastify: FastifyInstance, { filter, routes, hosts }: HeadChecks): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('Cache-Control', 'no-cache');
    const { raw } = request;
    const refusal = refusedHead(raw, hosts);
    if (refusal !== null) {
      sendProblem(request, reply, refusal as RestError);
      return;
    }
    if (request.is404) {
      answerUnrouted(request, reply, { filter, routes });
      return;
    }
    try {
      // The resources below /v1 know their own parameters; the others have none.
      if (!isApi(request)) parseQuery(targetOf(raw).query, NO_PARAMETERS);
    } catch (error) {
      filter.answer(error, request, reply);
      return;
    }
    done();
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

function isApi(request: FastifyRequest): boolean {
  return targetOf(request.raw).path.startsWith(API_PATH);
}

export function admitRequests(fastify: FastifyInstance, filter: ProblemFilter, admission: Admission): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    takeContentType(request.raw);
    if (!isApi(request)) {
      done();
      return;
    }
    const asksFirst = expectsContinue(request.raw);
    const length = Number(request.headers['content-length'] ?? 0);
    const tooLarge = refusedLength(limitOf(request), length, asksFirst);
    if (tooLarge !== null) {
      reply.header('Connection', 'close');
      sendProblem(request, reply, tooLarge as RestError);
      return;
    }
    try {
      if (asksFirst) checkBeforeBody(request);
    } catch (error) {
      filter.answer(error, request, reply);
      return;
    }
    const admitted: Admitted = { client: request.ip, bytes: expectedBytes(request) };
    const refusal = admission.enter(admitted);
    if (refusal !== null) {
      sendProblem(request, reply, refusal as RestError);
      return;
    }
    reply.raw.once('close', () => admission.leave(admitted));
    // Nothing is left that could refuse the request before its body is there.
    if (asksFirst) reply.raw.writeContinue();
    done();
  });
}

/** What the resource would refuse when it has the body. */
function checkBeforeBody(request: FastifyRequest): void {
  const { resource } = targetOf(request.raw);
  if (resource === 'batch') batchHead(request);
  else if (resource === 'key') checkWriteHead(request);
}

/** What the request will take in memory: its body, or as much as a body of unknown length may have. */
function expectedBytes(request: FastifyRequest): number {
  if (request.method === 'GET' || request.method === 'HEAD') return 0;
  const { bytesMax } = limitOf(request);
  if (request.headers['transfer-encoding'] !== undefined) return bytesMax;
  return Math.min(bytesMax, Number(request.headers['content-length'] ?? 0));
}

/** Fastify would refuse content types that it cannot parse; here they are part of the value. */
export function takeBodiesAsTheyAre(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (request: FastifyRequest, stream: IncomingMessage) =>
    readBody(stream, limitOf(request)),
  );
}

function limitOf(request: FastifyRequest): BodyLimit {
  return targetOf(request.raw).resource === 'batch' ? BATCH_LIMIT : VALUE_LIMIT;
}

function readBody(stream: IncomingMessage, limit: BodyLimit): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limit.bytesMax) {
        chunks.push(chunk);
      } else {
        chunks.length = 0;
        if (bytes > DROPPED_BYTES_MAX) giveUp();
      }
    });
    stream.once('end', () => {
      if (bytes > limit.bytesMax) reject(tooLarge(limit, bytes));
      else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes));
    });
    stream.once('error', (cause) => reject(connectionLost(cause)));
    stream.once('close', () => {
      // Without its end the body is not whole: the client is gone.
      if (!stream.readableEnded) reject(connectionLost());
    });
    const giveUp = (): void => {
      stream.removeAllListeners('data');
      stream.pause();
      reject(tooLarge(limit, bytes));
    };
  });
}

/** Of a body that is not worth reading to its end; null for any other. A client that asks first has not sent it yet. */
function refusedLength(limit: BodyLimit, contentLength: number, asksFirst: boolean): OperationalError | null {
  return contentLength > (asksFirst ? limit.bytesMax : DROPPED_BYTES_MAX)
    ? tooLarge(limit, contentLength)
    : null;
}

function tooLarge({ code, bytesMax }: BodyLimit, bytes: number): OperationalError {
  const what = code === 'VALUE_TOO_LARGE' ? 'A value' : 'The body of this request';
  return new OperationalError(code, `${what} has at most ${bytesMax} bytes; this one has ${bytes} or more`, {
    bytesMax,
  });
}

function connectionLost(cause?: Error): OperationalError {
  return new OperationalError(
    'INVALID_ARGUMENT',
    'The body of the request was not complete',
    { field: 'body' },
    { cause },
  );
}
