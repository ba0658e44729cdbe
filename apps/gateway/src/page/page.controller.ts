/** GET / and what that page is made of: a few files beside the source, as they are, from memory. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { extname } from 'node:path';
import { Controller, Get, NotFoundException, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access, OPEN } from '../access/access.js';
import { targetOf } from '../http/request-target.js';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** As far from the sources as from what is built of them. */
const FOLDER = new URL('../../page/', import.meta.url);
const INDEX = 'index.html';

interface Asset {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly etag: string;
}

function readAssets(): ReadonlyMap<string, Asset> {
  const names = readdirSync(FOLDER).filter((name) => MEDIA_TYPES[extname(name)] !== undefined);
  return new Map(
    names.map((name) => {
      const bytes = readFileSync(new URL(name, FOLDER));
      const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
      return [name, { bytes, etag, mediaType: MEDIA_TYPES[extname(name)] ?? '' }];
    }),
  );
}

const ASSETS = readAssets();
const PATHS = new Map([...ASSETS].map(([name, asset]) => [name === INDEX ? '/' : `/page/${name}`, asset]));

@ApiExcludeController()
@Controller()
export class PageController {
  /** Each is a route of its own, so that what there is not is known as such. */
  @Access(OPEN)
  @Get([...PATHS.keys()])
  asset(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const asset = PATHS.get(targetOf(request.raw).path);
    if (asset === undefined) throw new NotFoundException();
    const { bytes, mediaType, etag } = asset;
    void reply
      .header('Content-Security-Policy', POLICY)
      .header('X-Content-Type-Options', 'nosniff')
      .header('Referrer-Policy', 'no-referrer')
      .header('ETag', etag);
    const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    if (known?.includes(etag) === true || known?.includes('*') === true) void reply.code(304).send();
    else void reply.header('Content-Type', mediaType).send(bytes);
  }
}
