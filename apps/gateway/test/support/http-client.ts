/** Requests as real clients make them, and as only raw sockets can. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { NAMES_OF_WHAT_WAS_WRONG, PROBLEM_FIELDS } from '@ringleader/contracts';
import type { Problem } from '@ringleader/contracts';
import { expect } from '@jest/globals';

export async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await response.json()) as Problem;
  expect(problem.status).toBe(response.status);
  expect(problem.type).toMatch(/^urn:ringleader:problem:[a-z-]+$/);
  for (const field of ['title', 'detail', 'instance'] as const) expect(typeof problem[field]).toBe('string');
  expectDocumentedFields(problem);
  return problem;
}

/** The fields are a part of the contract: no other than those of the code, and what was wrong is named. */
function expectDocumentedFields({ type, title, status, detail, instance, code, ...fields }: Problem): void {
  void [type, title, status, detail, instance];
  const known: readonly string[] = PROBLEM_FIELDS[code];
  expect(Object.keys(fields).filter((field) => !known.includes(field))).toEqual([]);
  if (code !== 'INVALID_ARGUMENT') return;
  expect(NAMES_OF_WHAT_WAS_WRONG.filter((name) => typeof fields[name] === 'string')).toHaveLength(1);
}

export interface RawAnswer {
  /** Everything that came until the connection ended. */
  readonly text: string;
  readonly status: number | null;
}

export interface RawOptions {
  /** What is sent, piece by piece. */
  readonly chunks: readonly (string | Uint8Array)[];
  /** Half-closes the connection behind the last piece. */
  readonly end?: boolean;
  /** Cuts the connection instead of waiting for an answer. */
  readonly destroy?: boolean;
  /** Gives up on an answer after so long. */
  readonly waitMs?: number;
  /** Encrypted; absent: not. */
  readonly tls?: SecureContextOptions;
}

/** Sends bytes as they are and gathers what comes back, until the server closes or the time is up. */
export function sendRaw(port: number, options: RawOptions): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const place = { port, host: '127.0.0.1', allowHalfOpen: true };
    const { tls } = options;
    const socket: Socket = tls === undefined ? connect(place) : connectTls({ ...place, ...tls });
    const received: Buffer[] = [];
    const timer = setTimeout(() => socket.destroy(), options.waitMs ?? 5_000);
    socket.on('data', (chunk) => received.push(chunk));
    // The server may cut the connection while we still send: what was received counts.
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answerOf(Buffer.concat(received).toString()));
    });
    socket.on(tls === undefined ? 'connect' : 'secureConnect', () => send(socket, options));
  });
}

/** The answers of one connection, in the order they came. */
export function answersIn(text: string): { status: number; headers: Headers; body: string }[] {
  const answers = [];
  for (let rest = Buffer.from(text); rest.length > 0;) {
    const end = rest.indexOf('\r\n\r\n');
    const [line = '', ...fields] = rest.subarray(0, end).toString().split('\r\n');
    const headers = new Headers(
      fields.map((field): [string, string] => {
        const colon = field.indexOf(':');
        return [field.slice(0, colon), field.slice(colon + 1).trim()];
      }),
    );
    const length = Number(headers.get('content-length') ?? 0);
    const body = rest.subarray(end + 4, end + 4 + length).toString();
    answers.push({ status: Number(line.split(' ')[1]), headers, body });
    rest = rest.subarray(end + 4 + length);
  }
  return answers;
}

function send(socket: Socket, { chunks, end = false, destroy = false }: RawOptions): void {
  for (const chunk of chunks) socket.write(chunk);
  if (destroy) socket.destroy();
  else if (end) socket.end();
}

function answerOf(text: string): RawAnswer {
  const match = /^HTTP\/1\.1 (\d{3}) /.exec(text);
  return { text, status: match === null ? null : Number(match[1]) };
}
