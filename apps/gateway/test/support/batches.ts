/** One batch in either form, and its answer as it is in JSON. */
import { isUtf8 } from 'node:buffer';
import { CBOR_MEDIA_TYPE, readBinaryResults, writeBinaryBatch } from '@ringleader/contracts';
import type { BatchOperation, BatchResult, BinaryOperation } from '@ringleader/contracts';

export const BATCH_FORMS = ['application/json', CBOR_MEDIA_TYPE] as const;
export type BatchFormName = (typeof BATCH_FORMS)[number];

/** Of what can be said in both: base64 is bytes in CBOR. */
function binary(operation: BatchOperation): BinaryOperation {
  if (operation.op !== 'put') return operation;
  const { value, valueBase64, ...others } = operation;
  const bytes = valueBase64 === undefined ? value : Buffer.from(valueBase64, 'base64');
  return { ...others, ...(bytes !== undefined && { value: bytes }) };
}

function bodyOf(
  operations: readonly BatchOperation[],
  form: BatchFormName,
): string | Uint8Array<ArrayBuffer> {
  if (form === 'application/json') return JSON.stringify({ operations });
  return new Uint8Array(writeBinaryBatch(operations.map(binary)));
}

export function postBatch(
  url: string,
  operations: readonly BatchOperation[],
  form: BatchFormName,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}/v1/kv:batch`, {
    method: 'POST',
    headers: { 'Content-Type': form, Accept: form, ...headers },
    body: bodyOf(operations, form),
  });
}

export async function resultsOf(answer: Response): Promise<readonly BatchResult[]> {
  if (answer.headers.get('content-type') !== CBOR_MEDIA_TYPE)
    return ((await answer.json()) as { results: BatchResult[] }).results;
  return readBinaryResults(new Uint8Array(await answer.arrayBuffer())).map(({ value, ...others }) => {
    if (value === undefined) return others;
    const bytes = Buffer.from(value);
    return isUtf8(bytes)
      ? { ...others, value: bytes.toString() }
      : { ...others, valueBase64: bytes.toString('base64') };
  });
}
