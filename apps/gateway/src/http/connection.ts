/**
 * One connection: its requests in order, and what is answered when what comes is none.
 *
 * Node hands out the requests that a client pipelines all at once. Those that
 * change nothing may run side by side; one that is not safe waits for all before it, and all behind it wait for it
 * (RFC 9112, 9.3.2). Answers leave in order in any case: Node sees to that.
 */
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { OperationalError, PROBLEM_MEDIA_TYPE, REST_LIMITS, problemDocument } from '@ringleader/contracts';
import type { Problem } from '@ringleader/contracts';

export const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/**
 * So many requests may wait on one connection. Those beyond are refused; once their answers have gathered, Node reads no
 * more from the connection.
 */
const WAITING_MAX = 100;

/** So long a client may take to read the answer before the connection is cut. */
const LINGER_MS = 1_000;

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What is remembered of a connection. */
interface Connection {
  lastUnsafe: ServerResponse | null;
  last: Exchange | null;
  waiting: number;
}

const CONNECTION = Symbol('connection');
const CROWDED = Symbol('too many wait before it');

interface MarkedSocket extends Socket {
  [CONNECTION]?: Connection;
}

interface MarkedRequest extends IncomingMessage {
  [CROWDED]?: true;
}

/** Of a request that cannot wait for its turn; null for any other. */
export function refusedTurn(request: IncomingMessage): OperationalError | null {
  if ((request as MarkedRequest)[CROWDED] === undefined) return null;
  const detail = `On one connection ${WAITING_MAX} requests may wait for those before them`;
  return new OperationalError('RATE_LIMITED', detail, { requestsMax: WAITING_MAX });
}

function connectionOf(socket: MarkedSocket): Connection {
  return (socket[CONNECTION] ??= { lastUnsafe: null, last: null, waiting: 0 });
}

function inOrder(server: Server, handle: RequestHandler): RequestHandler {
  return (request, response) => {
    const { socket } = request;
    if (!server.listening) response.shouldKeepAlive = false;
    const connection = connectionOf(socket);
    connection.last = { request, response };
    const isSafe = SAFE_METHODS.has(request.method);
    // A response has its socket from the start where nothing before it is unanswered.
    const isFirst = response.socket !== null;
    if (isFirst || (isSafe && isOver(connection.lastUnsafe))) {
      if (isFirst) connection.lastUnsafe = isSafe ? null : response;
      handle(request, response);
      return;
    }
    if (connection.waiting >= WAITING_MAX) {
      (request as MarkedRequest)[CROWDED] = true;
      handle(request, response);
      return;
    }
    if (!isSafe) connection.lastUnsafe = response;
    connection.waiting += 1;
    response.once('socket', () => {
      connection.waiting -= 1;
      process.nextTick(handle, request, response);
    });
  };
}

const SOCKETS = new WeakMap<Server, ReadonlySet<Socket>>();

/**
 * The server takes no more connections. The last answer of each says so (RFC 9112, 9.6): a client that sent its next
 * request to a connection that is closed behind the answer could not tell what became of it.
 */
export function sayLastAnswers(server: Server): void {
  for (const socket of SOCKETS.get(server) ?? []) {
    const last = (socket as MarkedSocket)[CONNECTION]?.last?.response;
    if (last !== undefined && !last.headersSent) last.shouldKeepAlive = false;
  }
}

/** Ends connections that wait for no answer: what has come on them since is no whole head of a request. */
export function cutUnfinishedHeads(server: Server): void {
  for (const socket of SOCKETS.get(server) ?? []) {
    if (isOver((socket as MarkedSocket)[CONNECTION]?.last?.response ?? null)) socket.destroy();
  }
}

/** Also those that Node would otherwise answer by itself, because of an Expect header. */
export function handleInOrder(server: Server, handle: RequestHandler): void {
  const ordered = inOrder(server, handle);
  const sockets = new Set<Socket>();
  SOCKETS.set(server, sockets);
  // What requests come on: behind the encryption, where there is one.
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', ordered);
  server.on('checkContinue', ordered);
  server.on('checkExpectation', ordered);
}

/** Calls back once all whole requests of the connection are answered, with the unfinished one behind them, if any. */
function afterAnswers(socket: Socket, then: (unfinished: ServerResponse | null) => void): void {
  const last = (socket as MarkedSocket)[CONNECTION]?.last ?? null;
  if (last === null || isOver(last.response)) {
    then(null);
    return;
  }
  const { request, response } = last;
  const isWritten = response.writableEnded && response.socket !== null;
  if (request.complete && isWritten) then(null);
  // Before Node ends the connection of a client that has ended its side.
  else if (request.complete) response.once('prefinish', () => then(null));
  else if (response.socket !== null) then(response);
  else response.once('socket', () => then(response));
}

function isOver(response: ServerResponse | null): boolean {
  return response === null || response.writableFinished || response.closed;
}

/** Of the HTTP parser itself: there is no request yet, so the answer is written to the socket by hand. */
interface ParserError extends Error {
  readonly code?: string;
  /** What the parser was given last: a Buffer, which Fastify's types call something else. */
  readonly rawPacket?: unknown;
}

const HEAD_BEGINS = 'HEAD /';

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
    else if (socket.writable) writeProblem(socket, problemOf(error), !isOfHead(error, socket, unfinished));
    else socket.destroy();
  });
}

/**
 * Whether what cannot be read is a HEAD, whose answer has no body: as far as that is known. The parser does not tell where in
 * a packet a message begins, but the first one of a connection begins with it.
 */
function isOfHead(
  { rawPacket }: ParserError,
  socket: MarkedSocket,
  unfinished: ServerResponse | null,
): boolean {
  if (unfinished !== null) return unfinished.req.method === 'HEAD';
  const isFirst = (socket[CONNECTION]?.last ?? null) === null;
  return (
    isFirst &&
    Buffer.isBuffer(rawPacket) &&
    rawPacket.toString('latin1', 0, HEAD_BEGINS.length) === HEAD_BEGINS
  );
}

/** To a client that speaks plain HTTP where TLS is spoken. */
export function answerPlainHttp(socket: Socket): void {
  const detail = 'This port speaks HTTPS: begin the URL with https://';
  writeProblem(socket, problemDocument('INVALID_ARGUMENT', detail, '/', { reason: 'plain-http' }));
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
      const { headerBytesMax, headersMax } = REST_LIMITS;
      // Which of the two it was the parser does not say.
      const detail = `A request has at most ${headersMax} headers, and at most ${headerBytesMax} bytes of them and of its first line`;
      return problemDocument('HEADERS_TOO_LARGE', detail, '/', { headerBytesMax, headersMax });
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
function writeProblem(socket: Socket, problem: Problem, hasBody = true): void {
  const body = Buffer.from(JSON.stringify(problem));
  const allow = Array.isArray(problem['allow']) ? `Allow: ${problem['allow'].join(', ')}\r\n` : '';
  const head =
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n` +
    `Date: ${new Date().toUTCString()}\r\nCache-Control: no-cache\r\n` +
    `Content-Type: ${PROBLEM_MEDIA_TYPE}\r\nContent-Length: ${body.length}\r\n${allow}Connection: close\r\n\r\n`;
  socket.on('error', () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from(head, 'latin1'), ...(hasBody ? [body] : [])]));
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
