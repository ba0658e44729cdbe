/**
 * The requests of one connection, in order. Node hands out the requests that a client pipelines all at once. Those that
 * change nothing may run side by side; one that is not safe waits for all before it, and all behind it wait for it
 * (RFC 9112, 9.3.2). Answers leave in order in any case: Node sees to that.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { OperationalError } from '@ringleader/contracts';

export const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/**
 * So many requests may wait on one connection. Those beyond are refused; once their answers have gathered, Node reads no
 * more from the connection.
 */
const WAITING_MAX = 100;

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

export function inOrder(handle: RequestHandler): RequestHandler {
  return (request, response) => {
    const { socket } = request;
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

/** Also those that Node would otherwise answer by itself, because of an Expect header. */
export function handleInOrder(server: Server, handle: RequestHandler): void {
  const ordered = inOrder(handle);
  server.on('request', ordered);
  server.on('checkContinue', ordered);
  server.on('checkExpectation', ordered);
}

/** Calls back once all whole requests of the connection are answered, with the unfinished one behind them, if any. */
export function afterAnswers(socket: Socket, then: (unfinished: ServerResponse | null) => void): void {
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
