/**
 * HTTPS: the pair of certificate and key that this gateway shows, taken anew whenever its files are replaced, and a word
 * for whoever speaks plain HTTP to the port.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Server, ServerOptions } from 'node:http';
import { createServer } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { OperationalError } from '@ringleader/contracts';
import type { Logger } from '@ringleader/observability';
import { followFiles } from '@ringleader/service-host';
import type { GatewayConfig } from '../gateway.config.js';
import { answerPlainHttp } from './connection.js';

export interface ServerTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** What the files hold. */
  readonly cert: Buffer;
  readonly key: Buffer;
}

type TlsConfig = Pick<GatewayConfig, 'RINGLEADER_HTTP_TLS_CERT_FILE' | 'RINGLEADER_HTTP_TLS_KEY_FILE'>;

const TLS_VERSION_MIN = 'TLSv1.2';
/** Of TLS (RFC 8446, 5.1): the first byte of a handshake. */
const HANDSHAKE = 0x16;

/** Null: plain HTTP. Throws CONFIG_INVALID. */
export function serverTls(config: TlsConfig): ServerTls | null {
  const { RINGLEADER_HTTP_TLS_CERT_FILE: certFile, RINGLEADER_HTTP_TLS_KEY_FILE: keyFile } = config;
  if (certFile === undefined && keyFile === undefined) return null;
  if (certFile === undefined || keyFile === undefined) {
    const variable = 'RINGLEADER_HTTP_TLS_CERT_FILE';
    const message = 'and RINGLEADER_HTTP_TLS_KEY_FILE must be given together';
    throw new OperationalError('CONFIG_INVALID', `The configuration is not valid: ${variable} ${message}`, {
      issues: [{ variable, message }],
    });
  }
  const [cert, key] = [contentOf(certFile), contentOf(keyFile)];
  check({ certFile, keyFile, cert, key });
  return { certFile, keyFile, cert, key };
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw unusable(file, (cause as NodeJS.ErrnoException).code ?? String(cause), cause);
  }
}

function check({ certFile, keyFile, cert, key }: ServerTls): void {
  const tried = (file: string, otherwise: string, use: () => unknown): void => {
    try {
      use();
    } catch (cause) {
      throw unusable(file, otherwise, cause);
    }
  };
  tried(certFile, 'it holds no certificate', () => new X509Certificate(cert));
  tried(keyFile, 'it holds no private key', () => createPrivateKey(key));
  tried(keyFile, `it is not the key of ${certFile}`, () => createSecureContext({ cert, key }));
}

function unusable(file: string, reason: string, cause?: unknown): OperationalError {
  const detail = `The file ${file} for HTTPS cannot be used: ${reason}`;
  return new OperationalError('CONFIG_INVALID', detail, { file }, { cause });
}

/** A server that clients who speak plain HTTP get an answer from, too. */
export function createTlsServer(options: ServerOptions, tls: ServerTls, firstByteMs: number): Server {
  const server = createServer({
    ...options,
    ...contextOf(tls),
    allowHalfOpen: true,
    handshakeTimeout: firstByteMs,
  });
  // There is no request and no way to answer one: nothing of HTTP has to do with it.
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  answerPlainSpeakers(server, firstByteMs);
  return server;
}

const contextOf = ({ cert, key }: Pick<ServerTls, 'cert' | 'key'>): SecureContextOptions => ({
  cert,
  key,
  minVersion: TLS_VERSION_MIN,
});

/** By the first byte: a TLS server would just cut the connection, and the client's message would say nothing. */
function answerPlainSpeakers(server: HttpsServer, firstByteMs: number): void {
  const secure = server.listeners('connection');
  const silent = new Set<Socket>();
  const closeIdle = server.closeIdleConnections.bind(server);
  // As Node does it with those that say nothing to a server of plain HTTP, of which it knows.
  server.closeIdleConnections = () => {
    for (const socket of silent) socket.destroy();
    closeIdle();
  };
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const cut = (): void => void socket.destroy();
    const timer = setTimeout(cut, firstByteMs).unref();
    const known = (): void => {
      clearTimeout(timer);
      silent.delete(socket);
    };
    silent.add(socket);
    socket.on('error', cut);
    socket.once('close', known);
    socket.once('end', cut);
    socket.once('data', (first: Buffer) => {
      known();
      socket.off('error', cut);
      socket.off('end', cut);
      socket.pause();
      if (first[0] !== HANDSHAKE && isHttp(first)) {
        answerPlainHttp(socket);
        return;
      }
      socket.unshift(first);
      for (const listener of secure) listener.call(server, socket);
    });
  });
}

/** A method, and what follows it: as much as the first packet has of it. */
const isHttp = (first: Buffer): boolean => /^[A-Z]{1,20}(?: |$)/.test(first.toString('latin1', 0, 21));

/** From now on, until the server is closed; connections that are open keep what they began with. */
export function followCertificate(server: Server, tls: ServerTls, logger: Logger, everyMs?: number): void {
  const { certFile, keyFile } = tls;
  const stop = followFiles({
    paths: [certFile, keyFile],
    contents: [tls.cert, tls.key],
    use: ([cert = Buffer.of(), key = Buffer.of()]) => {
      check({ certFile, keyFile, cert, key });
      (server as unknown as HttpsServer).setSecureContext(contextOf({ cert, key }));
    },
    logger,
    ...(everyMs === undefined ? {} : { everyMs }),
  });
  server.once('close', stop);
}
