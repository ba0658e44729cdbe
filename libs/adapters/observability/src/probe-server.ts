/**
 * The small HTTP server on loopback that Kubernetes' probes and Prometheus ask: /healthz, /readyz, /metrics. The gateway
 * serves the same paths on its own port.
 */
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** Empty when the process can serve; otherwise one sentence per reason. */
export type Readiness = () => readonly string[];

export interface ProbeServerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly readiness: Readiness;
  readonly metrics: Registry;
}

export interface ProbeServer {
  /** host:port as bound. */
  readonly address: string;
  close(): Promise<void>;
}

export async function startProbeServer(options: ProbeServerOptions): Promise<ProbeServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0];
    if (path === '/healthz') return json(response, 200, { status: 'ok' });
    if (path === '/readyz') return ready(response, options.readiness());
    if (path === '/metrics') return void metrics(response, options.metrics);
    return json(response, 404, { error: 'there are /healthz, /readyz and /metrics' });
  });
  await listen(server, options.host, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    address: `${options.host}:${port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function ready(response: ServerResponse, reasons: readonly string[]): void {
  json(response, reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons });
}

async function metrics(response: ServerResponse, registry: Registry): Promise<void> {
  try {
    const text = await registry.metrics();
    response.writeHead(200, { 'content-type': registry.contentType }).end(text);
  } catch (error) {
    json(response, 500, { error: String(error) });
  }
}
