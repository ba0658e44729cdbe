/** GET /docs: the OpenAPI document, for people. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, Get, NotFoundException, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import swaggerUiFolder from 'swagger-ui-dist/absolute-path.js';
import { Access, OPEN } from '../access/access.js';
import { targetOf } from '../http/request-target.js';
import { policy, sendFile, servedFile } from '../http/served-file.js';
import type { ServedFile } from '../http/served-file.js';

/** Swagger UI writes styles into what it shows, and has its pictures inline. */
const POLICY = policy("'self' 'unsafe-inline'", "'self' data:");

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Ringleader API</title>
    <link rel="icon" href="/page/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
    <script defer src="/docs/swagger-ui-bundle.js"></script>
    <script defer src="/docs/swagger-ui-init.js"></script>
  </head>
  <body>
    <div id="swagger-ui"></div>
  </body>
</html>
`;

/** By itself it would have the document looked over elsewhere. */
const INIT = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });\n`;

const ofSwaggerUi = (name: string): Buffer => readFileSync(join(swaggerUiFolder(), name));

const FILES = new Map<string, ServedFile>([
  ['/docs', servedFile('index.html', Buffer.from(PAGE))],
  ['/docs/swagger-ui-init.js', servedFile('swagger-ui-init.js', Buffer.from(INIT))],
  ...['swagger-ui.css', 'swagger-ui-bundle.js'].map(
    (name) => [`/docs/${name}`, servedFile(name, ofSwaggerUi(name))] as const,
  ),
]);

@ApiExcludeController()
@Controller()
export class DocumentController {
  @Access(OPEN)
  @Get([...FILES.keys()])
  file(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const file = FILES.get(targetOf(request.raw).path);
    if (file === undefined) throw new NotFoundException();
    sendFile(request, reply, file, POLICY);
  }
}
