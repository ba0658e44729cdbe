/**
 * The resources below /v1/kv. These schemas check the shape (and refuse unknown fields); what is about one operation
 * alone (a key too long, a value too large) is the answer to that operation, so it is checked later.
 */
import { z } from 'zod';
import { REST_LIMITS } from './limits.js';
import { REST_ERROR_CODES } from './problem.js';

const revision = z.int().min(0).describe('Counts the writes of the partition that the key belongs to.');
const version = z.int().min(0).describe('Counts the writes of the key since it was created.');
const instant = z.iso.datetime().describe('RFC 3339, UTC.');

const key = z.string().describe('1 to 1,024 bytes of UTF-8.');
const ifRevision = z.int().min(1).optional().describe('Only if this is the present revision of the key.');
const ifVersion = z.int().min(1).optional().describe('Only if this is the present version of the key.');
const ifPresent = z.literal(true).optional().describe('Only if the key exists.');
const ifAbsent = z.literal(true).optional().describe('Only if the key does not exist.');

export const putOperationSchema = z
  .strictObject({
    op: z.literal('put'),
    key,
    value: z.string().optional().describe('The value as text. Either this or valueBase64.'),
    valueBase64: z.string().optional().describe('The value as base64 (RFC 4648, section 4).'),
    contentType: z.string().optional().describe('Default application/octet-stream.'),
    ifRevision,
    ifVersion,
    ifAbsent,
    ifPresent,
  })
  .meta({ id: 'PutOperation' });

export const getOperationSchema = z.strictObject({ op: z.literal('get'), key }).meta({ id: 'GetOperation' });

export const deleteOperationSchema = z
  .strictObject({ op: z.literal('delete'), key, ifRevision, ifVersion, ifPresent })
  .meta({ id: 'DeleteOperation' });

export const batchOperationSchema = z.discriminatedUnion('op', [
  putOperationSchema,
  getOperationSchema,
  deleteOperationSchema,
]);
export type BatchOperation = z.infer<typeof batchOperationSchema>;

export const batchRequestSchema = z
  .strictObject({ operations: z.array(batchOperationSchema).max(REST_LIMITS.batchOperationsMax) })
  .meta({ id: 'BatchRequest' });
export type BatchRequest = z.infer<typeof batchRequestSchema>;

const valueFields = {
  value: z.string().optional().describe('The value, where it is UTF-8 text.'),
  valueBase64: z.string().optional().describe('The value as base64, where it is not UTF-8 text.'),
  contentType: z.string(),
  createdAt: instant,
  modifiedAt: instant,
};

export const batchResultSchema = z
  .object({
    status: z.int().describe('As the same request by itself would have been answered.'),
    revision: revision.optional(),
    version: version.optional(),
    value: valueFields.value,
    valueBase64: valueFields.valueBase64,
    contentType: valueFields.contentType.optional(),
    createdAt: valueFields.createdAt.optional(),
    modifiedAt: valueFields.modifiedAt.optional(),
    code: z.enum(REST_ERROR_CODES).optional().describe('Of a failure.'),
    detail: z.string().optional().describe('Of a failure: what was wrong, and what is allowed.'),
  })
  .meta({ id: 'BatchResult' });
export type BatchResult = z.infer<typeof batchResultSchema>;

export const batchResponseSchema = z
  .object({ results: z.array(batchResultSchema) })
  .meta({ id: 'BatchResponse' });

export const writtenSchema = z
  .object({ key: z.string(), revision, version, createdAt: instant, modifiedAt: instant })
  .meta({ id: 'Written' });
export type Written = z.infer<typeof writtenSchema>;

/** Without value and content type where only keys were asked for. */
export const itemSchema = z
  .object({
    key: z.string(),
    revision,
    version,
    ...valueFields,
    contentType: valueFields.contentType.optional(),
  })
  .meta({ id: 'Item' });
export type Item = z.infer<typeof itemSchema>;

export const listResponseSchema = z
  .object({
    items: z.array(itemSchema),
    cursor: z.string().optional().describe('Where the next page begins; absent at the end.'),
  })
  .meta({ id: 'ListResponse' });
