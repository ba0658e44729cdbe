/**
 * How much may be under way at once, and bodies as they are taken then. Refusing early keeps the gateway's memory flat and its answers honest: a request
 * that waits for ever in a queue is worse than one that may be repeated elsewhere.
 */
import type { IncomingMessage } from 'node:http';
import { OperationalError, REST_HEADERS, REST_LIMITS } from '@ringleader/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from './problem.filter.js';
import type { ProblemFilter, RestError } from './problem.filter.js';
import { expectsContinue, takeContentType } from './request-head.js';
import { LARGE_BYTES, type LargeBodies } from './large-bodies.js';
import { isApi, targetOf } from './request-target.js';

export interface AdmissionLimits {
  readonly requestsMax: number;
  readonly bytesMax: number;
  /** Of one client address, so that one client cannot take all there is. */
  readonly clientRequestsMax: number;
}

interface Admitted {
  readonly client: string;
  readonly bytes: number;
}

/** Pure bookkeeping. */
export class Admission {
  private requests = 0;
  private bytes = 0;
  private total = 0;
  private readonly perClient = new Map<string, number>();

  constructor(
    private readonly limits: AdmissionLimits,
    /** Then the process would not live to answer more. */
    private readonly isMemoryShort: () => boolean = () => false,
  ) {}

  get inFlight(): number {
    return this.requests;
  }

  get requestsTotal(): number {
    return this.total;
  }

  /** Null when admitted: `leave` must follow. */
  enter({ client, bytes }: Admitted): OperationalError | null {
    const { requestsMax, bytesMax, clientRequestsMax } = this.limits;
    this.total += 1;
    const ofClient = this.perClient.get(client) ?? 0;
    if (ofClient >= clientRequestsMax) {
      const detail = `One client address may have ${clientRequestsMax} requests under way at once`;
      return new OperationalError('RATE_LIMITED', detail, { requestsMax: clientRequestsMax });
    }
    if (this.requests >= requestsMax || this.bytes + bytes > bytesMax || this.isMemoryShort()) {
      return new OperationalError('OVERLOADED', 'This gateway has too much under way; nothing was done');
    }
    this.requests += 1;
    this.bytes += bytes;
    this.perClient.set(client, ofClient + 1);
    return null;
  }

  leave({ client, bytes }: Admitted): void {
    this.requests -= 1;
    this.bytes -= bytes;
    const ofClient = (this.perClient.get(client) ?? 1) - 1;
    if (ofClient === 0) this.perClient.delete(client);
    else this.perClient.set(client, ofClient);
  }
}

interface BodyLimit {
  readonly bytesMax: number;
  readonly code: 'VALUE_TOO_LARGE' | 'REQUEST_TOO_LARGE';
}

const VALUE_LIMIT: BodyLimit = { bytesMax: REST_LIMITS.valueBytesMax, code: 'VALUE_TOO_LARGE' };
const JSON_LIMIT: BodyLimit = { bytesMax: REST_LIMITS.valueBytesMax, code: 'REQUEST_TOO_LARGE' };
const BATCH_LIMIT: BodyLimit = { bytesMax: REST_LIMITS.batchBytesMax, code: 'REQUEST_TOO_LARGE' };
const LIMITS = { key: VALUE_LIMIT, batch: BATCH_LIMIT, other: JSON_LIMIT };

/**
 * A body that is too large is read to its end and dropped, up to so much, so that the client comes to read the refusal:
 * cutting the connection while it still sends would reset it.
 */
const DROPPED_BYTES_MAX = 16_777_216;

export interface AdmissionChecks {
  readonly filter: ProblemFilter;
  readonly admission: Admission;
  readonly largeBodies: LargeBodies;
  /** How long the client waits; the default where its head says something that the resource will refuse. */
  readonly timeoutMsOf: (request: FastifyRequest) => number;
  /** Throws what the resource would refuse when it has the body. */
  readonly checkBeforeBody: (request: FastifyRequest) => void;
}

/** All of it before a client that asks first (Expect: 100-continue) is invited to send the body, and before a large one is read. */
export function admitRequests(fastify: FastifyInstance, checks: AdmissionChecks): void {
  const { filter, admission, checkBeforeBody } = checks;
  const takeTurn = turns(checks);
  fastify.addHook('onRequest', (request, reply, done) => {
    takeContentType(request.raw);
    if (!isApi(targetOf(request.raw))) {
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
      if (asksFirst || length >= LARGE_BYTES) checkBeforeBody(request);
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
    takeTurn({ request, reply, bytes: turnBytes(request, admitted.bytes) }, (late) => {
      if (late !== null) {
        sendProblem(request, reply, late as RestError);
        return;
      }
      // Nothing is left that could refuse the request before its body is there.
      if (asksFirst) reply.raw.writeContinue();
      done();
    });
  });
}

interface Arrival {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly bytes: number;
}

type TakeTurn = (arrival: Arrival, then: (tooLate: OperationalError | null) => void) => void;

/** Calls back when the body's turn has come, or with a refusal when the request's time is over before. */
function turns({ largeBodies, timeoutMsOf }: AdmissionChecks): TakeTurn {
  return ({ request, reply, bytes }, then) => {
    const endsAt = performance.now() + timeoutMsOf(request);
    const wait: { isOver: boolean; timer?: NodeJS.Timeout } = { isOver: false };
    const leave = largeBodies.enter(bytes, () => {
      wait.isOver = true;
      if (wait.timer !== undefined) leaveTime(request, endsAt - performance.now());
      clearTimeout(wait.timer);
      then(null);
    });
    reply.raw.once('close', () => {
      clearTimeout(wait.timer);
      leave();
    });
    if (wait.isOver) return;
    wait.timer = setTimeout(() => {
      leave();
      then(new OperationalError('OVERLOADED', 'Too many large bodies are under way; nothing was done'));
    }, endsAt - performance.now());
  };
}

/** What the resource has for the request is what waiting has left. */
function leaveTime(request: FastifyRequest, ms: number): void {
  request.headers[REST_HEADERS.timeoutMs.toLowerCase()] = String(Math.max(1, Math.floor(ms)));
}

/** What the request will take in memory: its body, or as much as a body of unknown length may have. */
function expectedBytes(request: FastifyRequest): number {
  if (request.method === 'GET' || request.method === 'HEAD') return 0;
  const { bytesMax } = limitOf(request);
  if (request.headers['transfer-encoding'] !== undefined) return bytesMax;
  return Math.min(bytesMax, Number(request.headers['content-length'] ?? 0));
}

/** A body of unknown length is most likely a small one, which a megabyte of somebody else's turn should not keep waiting. */
function turnBytes(request: FastifyRequest, expected: number): number {
  return request.headers['transfer-encoding'] === undefined ? expected : Math.min(expected, LARGE_BYTES);
}

/** Fastify would refuse content types that it cannot parse; here they are part of the value. */
export function takeBodiesAsTheyAre(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (request: FastifyRequest, stream: IncomingMessage) =>
    readBody(stream, limitOf(request)),
  );
}

function limitOf(request: FastifyRequest): BodyLimit {
  return LIMITS[targetOf(request.raw).resource];
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
