/**
 * Errors of the HTTP parser itself: there is no request yet, so the answer is written to the socket by hand.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEM_MEDIA_TYPE, REST_LIMITS, problemDocument } from '@ringleader/contracts';
import type { Problem } from '@ringleader/contracts';
import { afterAnswers } from '../http/connection-order.js';

/** So long a client may take to read the answer before the connection is cut. */
const LINGER_MS = 1_000;

interface ParserError extends Error {
  readonly code?: string;
}

const answered = new WeakSet<Socket>();

/** Whole requests before it are answered first: the answer to what cannot be read is the last one of the connection. */
export function answerConnectionError(error: ParserError, socket: Socket): void {
  if (answered.has(socket)) return;
  answered.add(socket);
  afterAnswers(socket, (unfinished) => {
    // One whose answer has begun cannot be given another.
    if (error.code === 'ECONNRESET' || unfinished?.headersSent === true) socket.destroy();
    // What comes after a request that was to be the last one is nobody's (RFC 9112, 9.6).
    else if (error.code === 'HPE_CLOSED_CONNECTION') socket.destroySoon();
    else if (socket.writable) writeProblem(socket, problemOf(error));
    else socket.destroy();
  });
}

/** CONNECT is for proxies; Node would cut the connection without a word. */
export function answerConnect(_request: unknown, socket: Socket): void {
  const detail = 'There is no CONNECT here: this is not a proxy';
  writeProblem(
    socket,
    problemDocument('METHOD_NOT_ALLOWED', detail, '/', { method: 'CONNECT', allow: ['GET'] }),
  );
}

function problemOf(error: ParserError): Problem {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW': {
      const { headerBytesMax } = REST_LIMITS;
      const detail = `The request line and the headers have at most ${headerBytesMax} bytes together`;
      return problemDocument('HEADERS_TOO_LARGE', detail, '/', { headerBytesMax });
    }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problemDocument(
        'REQUEST_TIMEOUT',
        'The request was not complete in time, so it was given up',
        '/',
      );
    default:
      return problemDocument('INVALID_ARGUMENT', `This is not a valid HTTP request: ${error.message}`, '/', {
        reason: error.code ?? 'unknown',
      });
  }
}

/**
 * Closing a socket with unread input resets the connection, and the client may lose the answer; so what still comes is
 * read and dropped for a moment.
 */
function writeProblem(socket: Socket, problem: Problem): void {
  const body = Buffer.from(JSON.stringify(problem));
  const allow = Array.isArray(problem['allow']) ? `Allow: ${problem['allow'].join(', ')}\r\n` : '';
  const head =
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n` +
    `Date: ${new Date().toUTCString()}\r\nCache-Control: no-cache\r\n` +
    `Content-Type: ${PROBLEM_MEDIA_TYPE}\r\nContent-Length: ${body.length}\r\n${allow}Connection: close\r\n\r\n`;
  socket.on('error', () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body]));
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
