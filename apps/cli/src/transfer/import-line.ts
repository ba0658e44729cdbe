import { REST_LIMITS, repeatedField } from '@ringleader/contracts';
import type { Line } from './input.js';

/** What one line asks for: the `put` of a batch. */
export interface PutOperation {
  readonly op: 'put';
  readonly key: string;
  readonly value?: string;
  readonly valueBase64?: string;
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

/** A batch is `{"operations":[...]}`; each operation has a comma at most. */
const ENVELOPE_BYTES = '{"operations":[]}'.length;
export const BATCH_BYTES_MAX = REST_LIMITS.batchBytesMax - ENVELOPE_BYTES;

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
  return wrong === undefined ? undefined : `"${wrong}" must be a string`;
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
  const repeated = repeatedField(text);
  if (repeated !== null)
    return refused(number, 'INVALID_LINE', `the field ${JSON.stringify(repeated)} is there twice`);
  const problem = problemOf(value);
  if (problem !== undefined) return refused(number, 'INVALID_LINE', problem);
  const operation: PutOperation = { op: 'put', ...(value as Omit<PutOperation, 'op'>) };
  const bytes = Buffer.byteLength(JSON.stringify(operation)) + 1;
  return bytes > BATCH_BYTES_MAX ? tooLarge() : { kind: 'put', operation, bytes };
}
