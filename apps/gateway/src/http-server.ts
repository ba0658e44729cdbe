/**
 * The HTTP server: NestJS on Fastify, with limits on everything a client can make large, slow or many, and problem
 * documents also where Fastify or Node's parser refuse a request by themselves.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions } from 'node:http';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import { REST_HEADERS, REST_LIMITS } from '@ringleader/contracts';
import { NestLogger } from '@ringleader/observability';
import type { Logger } from '@ringleader/observability';
import { ServiceClock, descriptorsMax } from '@ringleader/service-host';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Guard } from './access/guard.js';
import { HttpMetrics } from './health/http-metrics.js';
import { Admission, admitRequests, takeBodiesAsTheyAre } from './http/admission.js';
import { LargeBodies } from './http/large-bodies.js';
import {
  SAFE_METHODS,
  answerConnect,
  answerConnectionError,
  cutUnfinishedHeads,
  handleInOrder,
  sayLastAnswers,
} from './http/connection.js';
import type { RequestHandler } from './http/connection.js';
import { createTlsServer } from './http/tls.js';
import type { ServerTls } from './http/tls.js';
import { ProblemFilter } from './http/problem.filter.js';
import { KnownHosts, KnownRoutes, refuseHeads, refuseUnrouted } from './http/request-head.js';
import { targetOf } from './http/request-target.js';
import { batchHead } from './kv/batch.controller.js';
import { HotKeys } from './kv/hot-keys.js';
import type { HotKeysOptions } from './kv/hot-keys.js';
import { KeyValueStore } from './kv/key-value-store.js';
import { checkWriteHead } from './kv/keys.controller.js';
import { openApiDocument } from './openapi/openapi-document.js';
import { ShardDirectory } from './routing/shard-directory.js';

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
  /** With the resources, and what they rest on. */
  readonly root: DynamicModule;
  readonly logger: Logger;
  readonly version: string;
  readonly timings: HttpServerTimings;
  /** Null: plain HTTP. */
  readonly tls: ServerTls | null;
  /** Besides loopback and the address that a connection came to. */
  readonly hosts: readonly string[];
  /** Addresses and networks of the proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** False: all requests go through the web framework, for tests that compare the two ways. */
  readonly isLaneOpen?: boolean;
}

/** Past the web framework, from when the application is there. */
interface HotLane {
  keys: HotKeys | null;
}

const NO_QUERY = {};

/** Ready to listen. */
export async function createHttpServer(options: HttpServerOptions): Promise<NestFastifyApplication> {
  const routes = new KnownRoutes();
  const hosts = new KnownHosts(options.hosts);
  const filter = new ProblemFilter(options.logger, (path) => routes.methodsOf(path));
  const lane: HotLane = { keys: null };
  const adapter = fastifyAdapter(options, filter, lane);
  const fastify = adapter.getInstance<FastifyInstance>();
  fastify.addHook('onRoute', (route) => routes.add(route.url, route.method));
  refuseHeads(fastify, { filter, hosts });
  const app = await NestFactory.create<NestFastifyApplication>(options.root, adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: new NestLogger(options.logger),
  });
  const [guard, admission, largeBodies] = [
    app.get(Guard, { strict: false }),
    app.get(Admission, { strict: false }),
    app.get(LargeBodies, { strict: false }),
  ];
  fastify.addHook('onRoute', (route) => guard.checkRoute(route));
  guard.stand(fastify, filter);
  refuseUnrouted(fastify, { filter, routes });
  admitRequests(fastify, { filter, checkBeforeBody, admission, largeBodies, timeoutMsOf: waitMsOf });
  takeBodiesAsTheyAre(fastify);
  app.get(HttpMetrics, { strict: false }).measure(fastify);
  app.useGlobalFilters(filter);
  serveDocument(app, options.version);
  await app.init();
  await fastify.ready();
  if (options.isLaneOpen ?? true) lane.keys = hotKeys(app, { hosts, filter, guard });
  return app;
}

function hotKeys(app: INestApplication, parts: Pick<HotKeysOptions, 'hosts' | 'filter' | 'guard'>): HotKeys {
  return new HotKeys({
    ...parts,
    store: app.get(KeyValueStore, { strict: false }),
    clock: app.get(ServiceClock, { strict: false }),
    shards: app.get(ShardDirectory, { strict: false }),
    admission: app.get(Admission, { strict: false }),
    metrics: app.get(HttpMetrics, { strict: false }),
  });
}

function fastifyAdapter(options: HttpServerOptions, filter: ProblemFilter, lane: HotLane): FastifyAdapter {
  const { timings, tls, trustedProxies } = options;
  return new FastifyAdapter({
    logger: false,
    rewriteUrl: (request) => targetOf(request as IncomingMessage).path,
    frameworkErrors: (error, request, reply) =>
      filter.answer(error, request as unknown as FastifyRequest, reply as unknown as FastifyReply),
    clientErrorHandler: answerConnectionError,
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    // Query parameters are parsed where it is known which there are.
    routerOptions: { querystringParser: () => NO_QUERY, maxParamLength: REST_LIMITS.headerBytesMax },
    bodyLimit: REST_LIMITS.batchBytesMax,
    // Requests that come on open connections while the server closes are still answered.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    skipMiddie: true,
    serverFactory: (handler: RequestHandler) =>
      nodeServer(
        (request, response) => {
          if (lane.keys?.take(request, response) !== true) handler(request, response);
        },
        timings,
        tls,
      ),
  } as ConstructorParameters<typeof FastifyAdapter>[0]) as unknown as FastifyAdapter;
}

function nodeServer(handle: RequestHandler, timings: HttpServerTimings, tls: ServerTls | null): Server {
  const options: ServerOptions = {
    maxHeaderSize: REST_LIMITS.headerBytesMax,
    headersTimeout: timings.headersTimeoutMs,
    requestTimeout: timings.requestTimeoutMs,
    keepAliveTimeout: timings.keepAliveTimeoutMs,
    connectionsCheckingInterval: timings.checkIntervalMs,
    // Refused in request-head.ts instead, with a problem document.
    requireHostHeader: false,
  };
  const server =
    tls === null ? createServer(options) : createTlsServer(options, tls, timings.headersTimeoutMs);
  server.maxHeadersCount = REST_LIMITS.headersMax;
  server.setTimeout(timings.idleTimeoutMs);
  server.maxConnections = connectionsMax(descriptorsMax());
  // A client that has said all it has to say (half-closed) still gets its answer.
  (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
  handleInOrder(server, handle);
  server.on('connect', answerConnect);
  return server;
}

const DESCRIPTORS_KEPT = 128;

/** What is left of the descriptors is for NATS, for files that are read again, and for probes. More are closed at once. */
export function connectionsMax(descriptors: number | null): number {
  if (descriptors === null) return Number.POSITIVE_INFINITY;
  return Math.max(descriptors - DESCRIPTORS_KEPT, Math.floor(descriptors / 2));
}

function serveDocument(app: INestApplication, version: string): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app, version), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    ui: false,
  });
}

function checkBeforeBody(request: FastifyRequest): void {
  const { resource } = targetOf(request.raw);
  if (resource === 'batch') batchHead(request);
  else if (resource === 'key' && !SAFE_METHODS.has(request.method)) checkWriteHead(request);
}

/** A head that says something else is refused by the resource, when it has the body. */
function waitMsOf({ headers }: FastifyRequest): number {
  const ms = Number(headers[REST_HEADERS.timeoutMs.toLowerCase()] ?? REST_LIMITS.timeoutMsDefault);
  return ms >= 1 && ms <= REST_LIMITS.timeoutMsMax ? ms : REST_LIMITS.timeoutMsDefault;
}

const IDLE_CHECK_MS = 50;
/** For the rest of a head that has begun: Node bounds that no more once the server takes no connections. */
const HEAD_MS = 2_000;
/** To write an answer that was made at the last moment. */
const ANSWER_MS = 2_000;

/**
 * Accepts nothing new and lets what is under way end by its clients' own deadlines; only a client that has not read its
 * answer long after the longest of them is cut off.
 */
@Injectable()
export class HttpDrain implements BeforeApplicationShutdown {
  constructor(private readonly host: HttpAdapterHost) {}

  async beforeApplicationShutdown(): Promise<void> {
    const server = this.host.httpAdapter.getHttpServer() as Server;
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    sayLastAnswers(server);
    // Connections that become idle only when their last answer is out would be kept open for the next request.
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
    const heads = setTimeout(() => cutUnfinishedHeads(server), HEAD_MS);
    const cut = setTimeout(() => server.closeAllConnections(), REST_LIMITS.timeoutMsMax + ANSWER_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(heads);
    clearTimeout(cut);
  }
}
