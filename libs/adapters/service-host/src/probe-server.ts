/**
 * The small HTTP server that Kubernetes' probes and Prometheus ask. It is the first thing of a process to run and the
 * last to end, and it depends on nothing that can be away.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listenedHost } from '@ringleader/config';
import { OperationalError } from '@ringleader/contracts';
import type { Registry } from '@ringleader/observability';
import type { Health } from './health.js';

export interface ProbeServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly health: Health;
  readonly metrics: Registry;
}

export interface ProbeServer {
  readonly port: number;
  close(): Promise<void>;
}

type Answer = (response: ServerResponse) => void | Promise<void>;

/** A prober that never finishes its request holds nothing for long. */
const REQUEST_TIMEOUT_MS = 5_000;
/** More are closed at once: they would take the descriptors of what the process is for. */
const CONNECTIONS_MAX = 64;
/** RFC 9110, 13.1: with these an answer is wanted of one version only. The others at most spare an answer. */
const CONDITIONS = ['if-match', 'if-unmodified-since'];

export async function startProbeServer(options: ProbeServerOptions): Promise<ProbeServer> {
  const answers = answersOf(options);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    void answer(answers, request, response);
  });
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

function answersOf({ health, metrics }: ProbeServerOptions): ReadonlyMap<string, Answer> {
  const live: Answer = (response) => json(response, 200, { status: 'ok' });
  return new Map<string, Answer>([
    ['/livez', live],
    ['/healthz', live],
    ['/startupz', (response) => verdict(response, 'started', health.startup())],
    ['/readyz', (response) => verdict(response, 'ready', health.readiness())],
    ['/metrics', (response) => writeMetrics(response, metrics)],
  ]);
}

async function answer(
  answers: ReadonlyMap<string, Answer>,
  { method, url = '', headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const found = answers.get(url.split('?')[0] ?? '');
  if (found === undefined) {
    json(response, 404, { error: `there are ${[...answers.keys()].join(', ')}` });
    return;
  }
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    json(response, 405, { error: 'only GET and HEAD' });
    return;
  }
  const condition = CONDITIONS.find((name) => headers[name] !== undefined);
  if (condition !== undefined) {
    json(response, 400, { error: `${condition} means nothing here: this has no version` });
    return;
  }
  try {
    await found(response);
  } catch (error) {
    json(response, 500, { error: String(error) });
  }
}

function listen(server: Server, { host, port }: ProbeServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: NodeJS.ErrnoException): void => {
      const message = `Cannot listen on ${host}:${port} for probes: ${cause.code ?? cause.message}`;
      reject(new OperationalError('CONFIG_INVALID', message, { host, port }, { cause }));
    };
    server.once('error', refuse);
    server.listen(port, listenedHost(host), () => {
      server.off('error', refuse);
      resolve();
    });
  });
}

function verdict(response: ServerResponse, name: string, reasons: readonly string[]): void {
  const isWell = reasons.length === 0;
  json(response, isWell ? 200 : 503, { [name]: isWell, reasons });
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function writeMetrics(response: ServerResponse, registry: Registry): Promise<void> {
  const text = await registry.metrics();
  response.writeHead(200, { 'content-type': registry.contentType }).end(text);
}
