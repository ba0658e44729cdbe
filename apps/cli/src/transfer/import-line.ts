import { REST_LIMITS, binaryOperationBytes, fieldsWritten, repeatedField } from '@ringleader/contracts';
import type { Line } from './input.js';

/** What one line asks for: the `put` of a batch. */
export interface PutOperation {
  readonly op: 'put';
  readonly key: string;
  readonly value: string | Uint8Array;
  readonly contentType?: string;
}

export interface Refusal {
  readonly line: number;
  readonly code: string;
  readonly detail: string;
  readonly key?: string;
}

export type ImportLine =
  | { readonly kind: 'blank' }
  | { readonly kind: 'put'; readonly operation: PutOperation; readonly bytes: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

const FIELDS = new Set(['key', 'value', 'valueBase64', 'contentType']);

/** What a batch has around its operations is less. */
const ENVELOPE_BYTES = 64;
export const BATCH_BYTES_MAX = REST_LIMITS.batchBytesMax - ENVELOPE_BYTES;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The shape of a line is checked here, because one that is wrong would have its whole batch refused. The rest is the gateway's. */
function problemOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'the line is not a JSON object';
  const fields = value as Record<string, unknown>;
  const unknown = Object.keys(fields).find((name) => !FIELDS.has(name));
  if (unknown !== undefined) return `the field "${unknown}" is unknown`;
  if (typeof fields['key'] !== 'string') return '"key" must be a string';
  if ('value' in fields === 'valueBase64' in fields) return 'either "value" or "valueBase64" must be there';
  const wrong = Object.keys(fields).find((name) => typeof fields[name] !== 'string');
  if (wrong !== undefined) return `"${wrong}" must be a string`;
  return contentProblemOf(fields as unknown as Fields);
}

function contentProblemOf({ valueBase64, ...texts }: Fields): string | undefined {
  const broken = Object.entries(texts).find(([, text]) => !text.isWellFormed());
  if (broken !== undefined) return `"${broken[0]}" holds half a surrogate pair, so it is not UTF-8 text`;
  const isBase64 = valueBase64 === undefined || (valueBase64.length % 4 === 0 && BASE64.test(valueBase64));
  return isBase64 ? undefined : '"valueBase64" is not base64 with padding (RFC 4648, section 4)';
}

/** Of a line without a problem. */
interface Fields {
  readonly key: string;
  readonly value?: string;
  readonly valueBase64?: string;
  readonly contentType?: string;
}

function operationOf({ key, value, valueBase64, contentType }: Fields): PutOperation {
  const bytes = value ?? Buffer.from(valueBase64 ?? '', 'base64');
  return { op: 'put', key, value: bytes, ...(contentType !== undefined && { contentType }) };
}

function refused(line: number, code: string, detail: string): ImportLine {
  return { kind: 'refused', refusal: { line, code, detail } };
}

export function parseLine({ number, content }: Line): ImportLine {
  const tooLarge = () =>
    refused(number, 'REQUEST_TOO_LARGE', `a line may have at most ${BATCH_BYTES_MAX} bytes`);
  if (content.kind === 'tooLong') return tooLarge();
  if (content.kind === 'notUtf8') return refused(number, 'INVALID_LINE', 'the line is not valid UTF-8');
  const { text } = content;
  if (text.trim() === '') return { kind: 'blank' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refused(number, 'INVALID_LINE', `the line is not JSON: ${(error as Error).message}`);
  }
  const problem = problemOf(value);
  // JSON.parse keeps one of two fields of one name: then fewer are left than were written.
  if (problem !== undefined || fieldsWritten(text) !== Object.keys(value as object).length) {
    const repeated = repeatedField(text);
    if (repeated === null) return refused(number, 'INVALID_LINE', problem ?? 'the line is not a put');
    return refused(number, 'INVALID_LINE', `the field ${JSON.stringify(repeated)} is there twice`);
  }
  const operation = operationOf(value as Fields);
  const bytes = binaryOperationBytes(operation);
  return bytes > BATCH_BYTES_MAX ? tooLarge() : { kind: 'put', operation, bytes };
}
