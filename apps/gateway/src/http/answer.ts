import type { ServerResponse } from 'node:http';

/** A whole answer for Node's response itself, past the web framework (docs/adr/0010). */
export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** Null: none, and nothing is said of its length. */
  readonly body: string | Uint8Array | null;
}

/** Names and values in turn. */
export type AnswerHeaders = readonly (string | number)[];

/** So much is copied behind the head, as one write; more is handed to the system beside it. */
const COPIED_BYTES_MAX = 8_192;

export function writeAnswer(response: ServerResponse, { status, headers, body }: Answer): void {
  const all = ['Cache-Control', 'no-cache', ...headers];
  if (body === null) {
    response.writeHead(status, all).end();
    return;
  }
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  response.writeHead(status, [...all, 'Content-Length', length]);
  // Node joins a head with a body of the same encoding only: of one char for each byte, as heads are.
  if (typeof body === 'string' || length > COPIED_BYTES_MAX) response.end(body);
  else response.end(Buffer.from(body.buffer, body.byteOffset, length).toString('latin1'), 'latin1');
}
