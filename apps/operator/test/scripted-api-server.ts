/** An API server of a test: real HTTPS, and what it says is up to the test. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { issue } from '@ringleader/certificates';
import { testAuthority } from '@ringleader/testing-servers';
import { KubeApi } from '../src/kubernetes/kube-api.js';
import { KubeHttp } from '../src/kubernetes/kube-http.js';

export type Answer = (url: URL, response: ServerResponse) => void;

export class ScriptedApiServer {
  readonly api: KubeApi;

  private constructor(
    private readonly server: Server,
    private readonly http: KubeHttp,
  ) {
    this.api = new KubeApi(http);
  }

  static async start(answer: Answer): Promise<ScriptedApiServer> {
    const authority = await testAuthority();
    const { certificatePem, keyPem } = await issue(authority, {
      ...{ commonName: 'kubernetes', dnsNames: [], addresses: ['127.0.0.1'], usages: ['server'] as const },
      ...{ notBeforeMs: Date.now(), validForMs: 3_600_000 },
    });
    const take = (request: IncomingMessage, response: ServerResponse): void =>
      answer(new URL(request.url ?? '', 'https://kubernetes'), response);
    const server = createServer({ cert: certificatePem, key: keyPem }, take);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const caData = Buffer.from(authority.certificatePem).toString('base64');
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: 'own', server: `https://127.0.0.1:${port}`, caData, skipTLSVerify: false }],
      users: [{ name: 'own', token: 'token' }],
      contexts: [{ name: 'own', cluster: 'own', user: 'own' }],
      currentContext: 'own',
    });
    return new ScriptedApiServer(server, new KubeHttp(config));
  }

  close(): void {
    this.http.close();
    this.server.closeAllConnections();
    this.server.close();
  }
}

export function say(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Nothing of any kind. */
export const EMPTY_LIST = { metadata: { resourceVersion: '1' }, items: [] };
