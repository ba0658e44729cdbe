/**
 * Answers go to Node's response directly: Fastify would complete and check content types, which are the clients' own
 * here, and most of what a reply of its does is of no use for a body that is ready.
 */
import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';

export function respond(
  reply: FastifyReply,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Uint8Array | null,
): void {
  reply.hijack();
  const { raw } = reply;
  if (body === null) {
    raw.writeHead(status, headers).end();
    return;
  }
  const contentLength = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  raw.writeHead(status, { ...headers, 'Content-Length': contentLength }).end(body);
}

export function respondJson(
  reply: FastifyReply,
  status: number,
  body: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  respond(reply, status, { ...headers, 'Content-Type': 'application/json' }, JSON.stringify(body));
}
