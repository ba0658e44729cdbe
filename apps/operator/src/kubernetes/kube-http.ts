/**
 * HTTP to the API server. Who we are, and whom we trust, comes from @kubernetes/client-node; the rest is JSON as it is: its
 * generated models drop the fields that they do not know, and each of its calls makes a connection of its own.
 */
import { Agent, request as httpsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import type { KubeConfig } from '@kubernetes/client-node';
import { OperationalError } from '@ringleader/contracts';
import { KubeError, jsonIn, toKubeError } from './kube-error.js';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

export interface KubeHttpOptions {
  /** Called when nothing is left but to send the bytes of what may change something; throws to keep them back. */
  readonly beforeWrite?: () => void;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;
/** Bookmarks come once a minute: a watch that says nothing for longer is dead. */
const SILENCE_MAX_MS = 150_000;

export class KubeHttp {
  readonly #agent = new Agent({ keepAlive: true, keepAliveMsecs: 30_000 });
  readonly #server: string;

  constructor(
    private readonly config: KubeConfig,
    private readonly options: KubeHttpOptions = {},
  ) {
    const server = config.getCurrentCluster()?.server;
    if (server?.startsWith('https:') !== true) {
      const message = `The configuration for Kubernetes names no server by https: ${server ?? 'none'}`;
      throw new OperationalError('CONFIG_INVALID', message);
    }
    this.#server = server.replace(/\/$/, '');
  }

  async json<T>(call: Call): Promise<T> {
    const what = `${call.method} ${call.path.split('?')[0]}`;
    const signal = AbortSignal.timeout(this.options.timeoutMs ?? TIMEOUT_MS);
    const response = await this.#begin(call, what, signal);
    const body = await text(response).catch((cause: unknown) => {
      throw unreachable(what, cause);
    });
    const { statusCode: status = 0 } = response;
    if (status < 200 || status > 299) throw toKubeError(status, body, what);
    return jsonIn(body, what) as T;
  }

  /** The lines of an answer that does not end. Ends with it; throws when the connection breaks or is silent for too long. */
  async *lines(path: string, signal: AbortSignal): AsyncGenerator<string, void> {
    const what = `GET ${path.split('?')[0]}`;
    const silence = new AbortController();
    const beSilent = (): void => silence.abort(new Error('nothing was heard for too long'));
    const timer = setTimeout(beSilent, SILENCE_MAX_MS).unref();
    try {
      const response = await this.#begin(
        { method: 'GET', path },
        what,
        AbortSignal.any([signal, silence.signal]),
      );
      const { statusCode: status = 0 } = response;
      if (status !== 200) throw toKubeError(status, await text(response), what);
      let begun = '';
      for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
        timer.refresh();
        const lines = (begun + chunk).split('\n');
        // What is not a whole line when the answer ends was cut off.
        begun = lines.pop() ?? '';
        yield* lines;
      }
    } catch (cause) {
      throw cause instanceof KubeError ? cause : unreachable(what, cause);
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #begin(call: Call, what: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { method, path, body, contentType = 'application/json' } = call;
    const payload = body === undefined ? null : Buffer.from(JSON.stringify(body));
    const options: RequestOptions = { method, headers: { accept: 'application/json' } };
    await this.config.applyToHTTPSOptions(options).catch((cause: unknown) => {
      // As of a token that is being exchanged.
      throw new KubeError(0, 'NoCredentials', `${what}: what is shown to the API server cannot be read`, {
        cause,
      });
    });
    const headers = {
      ...(options.headers as Record<string, string>),
      ...(payload !== null && { 'content-type': contentType, 'content-length': payload.length }),
    };
    return new Promise((resolve, reject) => {
      const request = httpsRequest(this.#server + path, { ...options, headers, signal, agent: this.#agent });
      request.once('response', resolve);
      request.on('error', (cause) => reject(cause instanceof KubeError ? cause : unreachable(what, cause)));
      request.once('socket', (socket) =>
        whenConnected(socket, () => {
          try {
            if (method !== 'GET') this.options.beforeWrite?.();
            request.end(payload);
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
            request.destroy();
          }
        }),
      );
    });
  }
}

/** A process may be stopped while it connects, and go on when it may not write any more. */
function whenConnected(socket: Socket, action: () => void): void {
  if (socket instanceof TLSSocket && !socket.connecting && !isHandshaking(socket)) action();
  else socket.once('secureConnect', action);
}

const isHandshaking = (socket: TLSSocket): boolean =>
  (socket as TLSSocket & { readonly secureConnecting?: boolean }).secureConnecting === true;

function unreachable(what: string, cause: unknown): KubeError {
  return new KubeError(0, 'Unreachable', `${what}: the API server does not answer`, { cause });
}
