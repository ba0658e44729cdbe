/**
 * The HTTP server: NestJS on Fastify, with limits on everything a client can make large, slow or many, and problem
 * documents also where Fastify or Node's parser refuse a request by themselves.
 */
import type { IncomingMessage } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import { REST_LIMITS } from '@ringleader/contracts';
import { NestLogger } from '@ringleader/observability';
import type { Logger } from '@ringleader/observability';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppModule } from '../app.module.js';
import type { GatewayParts } from '../app.module.js';
import { parseQuery } from '../kv/query.js';
import { KEYS_PATH, originForm, pathOf, queryOf } from '../kv/request-target.js';
import { openApiDocument } from '../openapi/openapi-document.js';
import { answerConnect, answerConnectionError } from '../problems/connection-errors.js';
import { ProblemFilter } from '../problems/problem.filter.js';
import { sendProblem } from '../problems/send-problem.js';
import type { RestError } from '../problems/to-operational-error.js';
import type { Admission, Admitted } from './admission.js';
import { KnownRoutes } from './known-routes.js';
import { refusedHeaders } from './received-headers.js';
import { takeContentType } from './received-content-type.js';
import { readBody, refusedLength } from './request-body.js';
import type { BodyLimit } from './request-body.js';

export interface HttpServerTimings {
  /** A request, body included, must be complete within this. */
  readonly requestTimeoutMs: number;
  readonly headersTimeoutMs: number;
  /** How often the two above are looked at. */
  readonly checkIntervalMs: number;
  /** A connection on which nothing at all moves is closed after this. */
  readonly idleTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
}

export const DEFAULT_HTTP_TIMINGS: HttpServerTimings = {
  requestTimeoutMs: 30_000,
  headersTimeoutMs: 10_000,
  checkIntervalMs: 1_000,
  // Longer than the longest deadline a client may set.
  idleTimeoutMs: 75_000,
  keepAliveTimeoutMs: 65_000,
};

export interface HttpServerOptions {
  readonly parts: GatewayParts;
  readonly logger: Logger;
  readonly version: string;
  readonly admission: Admission;
  readonly timings: HttpServerTimings;
}

const ROUTED_KEY = `${KEYS_PATH}key`;
const API_PATH = '/v1/';
const BATCH_PATH = '/v1/kv:batch';
const NO_QUERY = {};
const NO_PARAMETERS: readonly string[] = [];
const VALUE_LIMIT: BodyLimit = { bytesMax: REST_LIMITS.valueBytesMax, code: 'VALUE_TOO_LARGE' };
const BATCH_LIMIT: BodyLimit = { bytesMax: REST_LIMITS.batchBytesMax, code: 'REQUEST_TOO_LARGE' };

/** Ready to listen. */
export async function createHttpServer(options: HttpServerOptions): Promise<NestFastifyApplication> {
  const routes = new KnownRoutes();
  const filter = new ProblemFilter(options.logger, (path) => routes.methodsOf(path));
  const adapter = fastifyAdapter(options.timings, filter);
  const fastify = adapter.getInstance<FastifyInstance>();
  fastify.addHook('onRoute', (route) => routes.add(route.url, route.method));
  refuseMalformedHeads(fastify, filter);
  admitRequests(fastify, options.admission);
  takeBodiesAsTheyAre(fastify);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.of(options.parts), adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: new NestLogger(options.logger),
  });
  app.useGlobalFilters(filter);
  serveDocument(app, options.version);
  await app.init();
  await fastify.ready();
  tuneServer(fastify);
  return app;
}

function fastifyAdapter(timings: HttpServerTimings, filter: ProblemFilter): FastifyAdapter {
  return new FastifyAdapter({
    logger: false,
    rewriteUrl: (request) => routedTarget(request as IncomingMessage),
    frameworkErrors: (error, request, reply) =>
      filter.answer(error, request as unknown as FastifyRequest, reply as unknown as FastifyReply),
    clientErrorHandler: answerConnectionError,
    // Query parameters are parsed where it is known which there are.
    routerOptions: { querystringParser: () => NO_QUERY, maxParamLength: REST_LIMITS.headerBytesMax },
    requestTimeout: timings.requestTimeoutMs,
    connectionTimeout: timings.idleTimeoutMs,
    keepAliveTimeout: timings.keepAliveTimeoutMs,
    bodyLimit: REST_LIMITS.batchBytesMax,
    // Requests that come on open connections while the server closes are still answered.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    skipMiddie: true,
    http: {
      maxHeaderSize: REST_LIMITS.headerBytesMax,
      headersTimeout: timings.headersTimeoutMs,
      // Refused here instead, with a problem document.
      requireHostHeader: false,
      connectionsCheckingInterval: timings.checkIntervalMs,
    },
  } as ConstructorParameters<typeof FastifyAdapter>[0]) as unknown as FastifyAdapter;
}

/** The router never sees a key: it would decode it in its own way (request-target.ts reads it as it was received). */
function routedTarget(request: IncomingMessage): string {
  const target = originForm(request.url ?? '/');
  return target.startsWith(KEYS_PATH) ? ROUTED_KEY : target;
}

/** The resources below /v1 know their own parameters; the others have none. */
function refuseMalformedHeads(fastify: FastifyInstance, filter: ProblemFilter): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const refusal = refusedHeaders(request.raw);
    if (refusal !== null) {
      filter.answer(refusal, request, reply);
      return;
    }
    if (request.is404 || isApi(request)) {
      done();
      return;
    }
    try {
      parseQuery(queryOf(request.originalUrl), NO_PARAMETERS);
    } catch (error) {
      filter.answer(error, request, reply);
      return;
    }
    done();
  });
}

function isApi(request: FastifyRequest): boolean {
  return pathOf(request.originalUrl).includes(API_PATH);
}

function admitRequests(fastify: FastifyInstance, admission: Admission): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!isApi(request)) {
      done();
      return;
    }
    const tooLarge = refusedLength(limitOf(request), Number(request.headers['content-length'] ?? 0));
    if (tooLarge !== null) {
      sendProblem(request, reply, tooLarge as RestError, { Connection: 'close' });
      return;
    }
    const admitted: Admitted = { client: request.ip, bytes: expectedBytes(request) };
    const refusal = admission.enter(admitted);
    if (refusal !== null) {
      sendProblem(request, reply, refusal as RestError);
      return;
    }
    reply.raw.once('close', () => admission.leave(admitted));
    done();
  });
}

/** What the request will take in memory: its body, or as much as a body of unknown length may have. */
function expectedBytes(request: FastifyRequest): number {
  if (request.method === 'GET' || request.method === 'HEAD') return 0;
  const { bytesMax } = limitOf(request);
  if (request.headers['transfer-encoding'] !== undefined) return bytesMax;
  return Math.min(bytesMax, Number(request.headers['content-length'] ?? 0));
}

/** Fastify would refuse content types that it cannot parse; here they are part of the value. */
function takeBodiesAsTheyAre(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    takeContentType(request.raw);
    done();
  });
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (request: FastifyRequest, stream: IncomingMessage) =>
    readBody(stream, limitOf(request)),
  );
}

function limitOf(request: FastifyRequest): BodyLimit {
  return request.originalUrl.startsWith(BATCH_PATH) ? BATCH_LIMIT : VALUE_LIMIT;
}

function serveDocument(app: INestApplication, version: string): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app, version), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Ringleader API',
  });
}

function tuneServer(fastify: FastifyInstance): void {
  const { server } = fastify;
  // A client that has said all it has to say (half-closed) still gets its answer.
  (server as typeof server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
  server.on('connect', answerConnect);
  // Expectations that nobody knows are ignored (RFC 9110, 10.1.1), not refused without a problem document.
  server.on('checkExpectation', (request, response) => void server.emit('request', request, response));
}
