/** The OpenAPI document: the controllers' descriptions with the schemas of the contracts. */
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import '@ringleader/contracts';
import { z } from 'zod';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

export function openApiDocument(app: INestApplication, version: string): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Ringleader')
    .setDescription(
      'A distributed key-value store and coordination service. Errors are problem documents (RFC 9457).',
    )
    .setVersion(version)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .build();
  const document = SwaggerModule.createDocument(app, config);
  const paths = Object.fromEntries(
    // The router escapes a colon by another one.
    Object.entries(document.paths).map(([path, item]) => [path.replaceAll('::', ':'), item]),
  );
  return { ...document, paths, components: { ...document.components, schemas: componentSchemas() } };
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
