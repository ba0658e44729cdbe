/** Files that are served as they are, from memory: those of the page, and of the page that shows the OpenAPI document. */
import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasAlready } from './if-match.js';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface ServedFile {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly etag: string;
}

export function isServed(name: string): boolean {
  return MEDIA_TYPES[extname(name)] !== undefined;
}

export function servedFile(name: string, bytes: Buffer): ServedFile {
  const mediaType = MEDIA_TYPES[extname(name)] ?? '';
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { bytes, mediaType, etag };
}

/** `styles` are where the page may take its styles from; all else it has from here, or not at all, and it is in nobody's frame. */
export function policy(styles: string, images: string): string {
  return (
    `default-src 'none'; script-src 'self'; style-src ${styles}; img-src ${images}; connect-src 'self'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  );
}

export function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { bytes, mediaType, etag }: ServedFile,
  contentSecurityPolicy: string,
): void {
  void reply
    .header('Content-Security-Policy', contentSecurityPolicy)
    .header('X-Content-Type-Options', 'nosniff')
    .header('Referrer-Policy', 'no-referrer')
    .header('ETag', etag);
  if (hasAlready(request.headers, etag)) void reply.code(304).send();
  else void reply.header('Content-Type', mediaType).send(bytes);
}
