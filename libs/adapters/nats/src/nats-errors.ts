import { types } from 'node:util';
import { errors } from '@nats-io/nats-core';
import { FRAME_BYTES_MAX, OperationalError } from '@ringleader/contracts';

/** What Node and OpenSSL call it when a certificate is not good. */
const TLS_CODE = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|ERR_OSSL_)/;

/**
 * NATS_REFUSED: trying again ends in the same way. NATS_UNREACHABLE: nobody answered. CONFIG_INVALID: a file cannot be
 * read.
 */
export function toNatsError(cause: unknown, servers: readonly string[]): OperationalError {
  if (cause instanceof OperationalError) return cause;
  const message = types.isNativeError(cause) ? cause.message : String(cause);
  const list = servers.join(', ');
  const of = (code: 'NATS_REFUSED' | 'NATS_UNREACHABLE', text: string): OperationalError =>
    new OperationalError(code, text, { servers }, { cause });
  if (isRefusal(cause)) {
    return of('NATS_REFUSED', `NATS at ${list} refuses who this process says it is: ${message}`);
  }
  if (/does not support 'tls'|'tls' is not available/.test(message)) {
    return of(
      'NATS_REFUSED',
      `NATS at ${list} offers no encryption, but tls:// or a file for TLS asks for it`,
    );
  }
  if (isTlsError(cause)) return of('NATS_REFUSED', `NATS at ${list} is not trusted: ${message}`);
  return of('NATS_UNREACHABLE', `NATS at ${list} cannot be reached: ${message}`);
}

/** Who this process says it is, is refused. */
export const isRefusal = (cause: unknown): boolean =>
  cause instanceof errors.AuthorizationError || cause instanceof errors.UserAuthenticationExpiredError;

/** Null where all frames of this version pass. What does not would end the process that sends it: one leader after another. */
export function refusalOfPayloads(server: string, bytesMax: number | undefined): OperationalError | null {
  if (bytesMax === undefined || bytesMax >= FRAME_BYTES_MAX) return null;
  const message = `NATS at ${server} takes messages of at most ${String(bytesMax)} bytes, but ${String(FRAME_BYTES_MAX)} are needed: set max_payload to 8MB in its configuration`;
  return new OperationalError('NATS_REFUSED', message, { server, bytesMax, bytesNeeded: FRAME_BYTES_MAX });
}

function isTlsError(error: unknown): boolean {
  if (!types.isNativeError(error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return (typeof code === 'string' && TLS_CODE.test(code)) || isTlsError(error.cause);
}
