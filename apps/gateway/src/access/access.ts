/**
 * What a resource asks of whoever calls it: declared beside its handler (`@Access`), so that the guard knows it before the
 * handler runs, and the OpenAPI document tells it. A route without a declaration keeps the gateway from starting.
 */
import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBearerAuth, ApiExtension } from '@nestjs/swagger';
import type { Role } from '@ringleader/contracts';

export type Access =
  /** Nobody is asked who they are: probes, the files of the page, the document. */
  | { readonly kind: 'open' }
  /** A grant for the key of the path. */
  | { readonly kind: 'key'; readonly role: Role }
  /** A grant of the empty prefix: what is asked or changed is no single key. */
  | { readonly kind: 'cluster'; readonly role: Role }
  /** A grant for whatever the request is about, as the handler asks of its caller (caller.ts) before it does anything. */
  | { readonly kind: 'request'; readonly role: Role };

export const OPEN: Access = { kind: 'open' };
/** What is declared nowhere else: paths that there are not, and methods. */
export const ANY_CALLER: Access = { kind: 'request', role: 'read' };
export const READ_KEY = { kind: 'key', role: 'read' } as const satisfies Access;
export const WRITE_KEY = { kind: 'key', role: 'write' } as const satisfies Access;

export const READ_CLUSTER: Access = { kind: 'cluster', role: 'read' };
export const ADMINISTER: Access = { kind: 'cluster', role: 'admin' };

/** The name of the scheme in the OpenAPI document. */
export const BEARER_SCHEME = 'token';

/** In the document, `x-ringleader-access` says what has to be granted. */
export function Access(access: Access): MethodDecorator & ClassDecorator {
  const decorators = [RouteConfig({ access })];
  if (access.kind === 'open') return applyDecorators(...decorators);
  return applyDecorators(
    ...decorators,
    ApiBearerAuth(BEARER_SCHEME),
    ApiExtension('x-ringleader-access', { role: access.role, of: access.kind }),
  );
}

/** What the web framework adds by itself. */
const DOCUMENT_ROUTE = '/openapi.json';

export interface DeclaredRoute {
  readonly url: string;
  readonly method: string | readonly string[];
  readonly config?: object | undefined;
}

/** Null for a route that says nothing: it must not be served. */
export function accessOf({ url, config }: DeclaredRoute): Access | null {
  const { access } = (config ?? {}) as { access?: Access };
  return access ?? (url === DOCUMENT_ROUTE ? OPEN : null);
}
