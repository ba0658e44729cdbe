/** A body that is JSON, as its schema has it. */
import { OperationalError, repeatedField } from '@ringleader/contracts';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { receivedContentType } from './request-head.js';

export const JSON_MEDIA_TYPE = 'application/json';
/** RFC 7396. */
export const MERGE_PATCH = 'application/merge-patch+json';
const UTF8 = /^charset="?utf-8"?$/i;
const NAME_LENGTH_SHOWN = 64;
/** The name of the body as a whole. */
export const BODY = 'body';
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** An absent body is an empty object. `what` begins the sentence of a refusal. `also`: media types besides JSON's own. */
export function jsonBody<Schema extends z.ZodType>(
  request: FastifyRequest,
  schema: Schema,
  what: string,
  also: readonly string[] = [],
): z.infer<Schema> {
  const body = request.body as Buffer | undefined;
  const isEmpty = body === undefined || body.byteLength === 0;
  if (!isEmpty) checkJson(receivedContentType(request.raw), what, also);
  const parsed = schema.safeParse(isEmpty ? {} : parseJson(body, what));
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => ({ field: fieldOf(issue), message: issue.message }));
  const list = issues.map(({ field, message }) => `${field}: ${message}`).join('; ');
  const field = issues[0]?.field ?? BODY;
  throw new OperationalError('INVALID_ARGUMENT', `${what} is not valid: ${list}`, { field, issues });
}

/** Which one of those that are taken it is. */
export function checkJson(
  contentType: string | undefined,
  what: string,
  also: readonly string[] = [],
): string {
  const allowed = [JSON_MEDIA_TYPE, ...also];
  const [type = '', ...parts] = (contentType ?? '').split(';').map((part) => part.trim());
  // Parameters may be empty (RFC 9110, 5.6.6).
  const [parameter, ...more] = parts.filter((part) => part !== '');
  const isUtf8 = parameter === undefined || (UTF8.test(parameter) && more.length === 0);
  if (isUtf8 && allowed.includes(type.toLowerCase())) return type.toLowerCase();
  throw new OperationalError('UNSUPPORTED_MEDIA_TYPE', `${what} is ${allowed.join(' or ')} (UTF-8)`, {
    contentType: contentType ?? null,
    allowed,
  });
}

/** Throws what is wrong with it, a field that is given twice too: which of the two counts is nobody's guess. */
export function parseJson(body: Uint8Array, what: string): unknown {
  const { text, value } = readJson(body);
  refuseRepeated(text, what);
  return value;
}

export interface ReadJson {
  readonly text: string;
  /** Of fields that are given twice, the last. */
  readonly value: unknown;
}

/** Throws where it is none. */
export function readJson(body: Uint8Array): ReadJson {
  try {
    const text = utf8.decode(body);
    return { text, value: JSON.parse(text) as unknown };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it cannot be read';
    const detail = `The body is not valid JSON: ${reason}`;
    throw new OperationalError('INVALID_ARGUMENT', detail, { field: BODY }, { cause });
  }
}

export function refuseRepeated(json: string, what: string): void {
  const repeated = repeatedField(json)?.slice(0, NAME_LENGTH_SHOWN);
  if (repeated === undefined) return;
  const detail = `${what} is not valid: an object has the field ${JSON.stringify(repeated)} twice`;
  throw new OperationalError('INVALID_ARGUMENT', detail, { field: repeated });
}

/** As in `operations.0.key`; an unknown field by its own name. */
export function fieldOf(issue: { path: PropertyKey[]; keys?: readonly string[] }): string {
  const unknown = issue.keys?.[0];
  const path = unknown === undefined ? issue.path : [...issue.path, unknown.slice(0, NAME_LENGTH_SHOWN)];
  return path.length === 0 ? BODY : path.map(String).join('.');
}
