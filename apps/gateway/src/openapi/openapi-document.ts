/** The OpenAPI document: the controllers' descriptions with the schemas of the contracts. */
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import '@ringleader/contracts';
import { z } from 'zod';
import { BEARER_SCHEME } from '../access/access.js';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

export function openApiDocument(app: INestApplication, version: string): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Ringleader')
    .setDescription(
      'A distributed key-value store and coordination service. Errors are problem documents (RFC 9457).',
    )
    .setVersion(version)
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        description: 'Where the gateway asks for tokens (RINGLEADER_AUTHENTICATION=tokens).',
      },
      BEARER_SCHEME,
    )
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .build();
  // The resources name their tags themselves; those of their classes would show each of them a second time.
  const document = SwaggerModule.createDocument(app, config, { autoTagControllers: false });
  const paths = Object.fromEntries(
    Object.entries(document.paths).map(([path, item]) => [
      // The router escapes a colon by another one.
      path.replaceAll('::', ':'),
      item.get === undefined ? item : { ...item, head: headOf(item.get) },
    ]),
  );
  return { ...document, paths, components: { ...document.components, schemas: componentSchemas() } };
}

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** Every resource that has GET has HEAD, which gives the same headers and nothing else. */
function headOf(get: Operation): Operation {
  const responses = Object.entries(get.responses).map(([status, response]) => {
    const { content, ...head } = response as { content?: unknown; description: string };
    void content;
    return [status, head];
  });
  const name = get.operationId ?? '';
  return {
    ...get,
    operationId: `head${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    summary: `${get.summary ?? ''}: the headers alone`,
    responses: Object.fromEntries(responses) as Operation['responses'],
  };
}

/** JSON Schema of every contract with an id; importing the contracts registers them. */
function componentSchemas(): Schemas {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    uri: (id) => `#/components/schemas/${id}`,
    // As a client may rely on it: answers may get further fields, requests may not.
    io: 'input',
  });
  const components = Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => {
    void [$schema, $id];
    return [id, schema];
  });
  return Object.fromEntries(components) as Schemas;
}
