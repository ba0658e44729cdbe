/** What a batch is written in, and its answer: JSON, or CBOR for who has many. Both say the same. */
import { BinaryResultsWriter, CBOR_MEDIA_TYPE, readBinaryBatch } from '@ringleader/contracts';
import type { FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { JSON_MEDIA_TYPE, checkJson } from '../http/json-body.js';
import { receivedContentType } from '../http/request-head.js';
import { failureOf, readJsonBatch, writeJsonResults } from './batch-json.js';
import type { GivenOperation } from './batch-operations.js';
import type { OperationResult } from './batch-run.js';
import { instant } from './representation.js';

export interface BatchForm {
  readonly contentType: string;
  /** Throws what is wrong with the batch as a whole. */
  read(body: Uint8Array): readonly GivenOperation[];
  write(results: readonly OperationResult[]): string | Buffer;
}

const JSON_FORM: BatchForm = {
  contentType: 'application/json; charset=utf-8',
  read: readJsonBatch,
  write: writeJsonResults,
};

const CBOR_FORM: BatchForm = {
  contentType: CBOR_MEDIA_TYPE,
  read: readBinaryBatch,
  write: writeBinaryResults,
};

/** Throws where the body is neither. */
export function givenForm({ raw }: FastifyRequest): BatchForm {
  const contentType = receivedContentType(raw);
  if (contentType === CBOR_MEDIA_TYPE) return CBOR_FORM;
  return checkJson(contentType, 'A batch', [CBOR_MEDIA_TYPE]) === CBOR_MEDIA_TYPE ? CBOR_FORM : JSON_FORM;
}

/** JSON, unless the client would rather have the other. */
export function wantedForm({ raw }: FastifyRequest): BatchForm {
  const { accept } = raw.headers;
  if (accept === undefined || accept === '*/*') return JSON_FORM;
  if (accept === CBOR_MEDIA_TYPE) return CBOR_FORM;
  const wanted = new Negotiator(raw).mediaType([JSON_MEDIA_TYPE, CBOR_MEDIA_TYPE]);
  return wanted === CBOR_MEDIA_TYPE ? CBOR_FORM : JSON_FORM;
}

function writeBinaryResults(results: readonly OperationResult[]): Buffer {
  const writer = new BinaryResultsWriter(results.length);
  for (const result of results) {
    switch (result.kind) {
      case 'written':
        writer.written(result.status, result.revision, result.version);
        break;
      case 'failed':
        writer.add(failureOf(result.error));
        break;
      case 'found': {
        const { row, value } = result;
        const { revision, version, contentType } = row;
        const times = { createdAt: instant(row.createdAt), modifiedAt: instant(row.modifiedAt) };
        writer.add({ status: 200, revision, version, value, contentType, ...times });
      }
    }
  }
  return writer.take();
}
