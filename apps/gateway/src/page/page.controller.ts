/** GET / and what that page is made of: a few files beside the source. */
import { readFileSync, readdirSync } from 'node:fs';
import { Controller, Get, NotFoundException, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Access, OPEN } from '../access/access.js';
import { targetOf } from '../http/request-target.js';
import { isServed, policy, sendFile, servedFile } from '../http/served-file.js';
import type { ServedFile } from '../http/served-file.js';

/** Nothing inline. */
const POLICY = policy("'self'", "'self'");

/** As far from the sources as from what is built of them. */
const FOLDER = new URL('../../page/', import.meta.url);
const INDEX = 'index.html';

const FILES = new Map<string, ServedFile>(
  readdirSync(FOLDER)
    .filter(isServed)
    .map((name) => [
      name === INDEX ? '/' : `/page/${name}`,
      servedFile(name, readFileSync(new URL(name, FOLDER))),
    ]),
);

@ApiExcludeController()
@Controller()
export class PageController {
  /** Each is a route of its own, so that what there is not is known as such. */
  @Access(OPEN)
  @Get([...FILES.keys()])
  file(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const file = FILES.get(targetOf(request.raw).path);
    if (file === undefined) throw new NotFoundException();
    sendFile(request, reply, file, POLICY);
  }
}
