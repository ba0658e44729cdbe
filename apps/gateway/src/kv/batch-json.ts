/**
 * A batch as JSON, for people and for whoever has no better: read in one pass and written as text at once. What is wrong with one that is not
 * plain, the schema says, which costs more than all the rest.
 */
import {
  ERROR_CATALOGUE,
  REST_LIMITS,
  batchRequestSchema,
  fieldsWritten,
  invalidBatch,
  tooManyOperations,
} from '@ringleader/contracts';
import type { BatchIssue, BatchResult } from '@ringleader/contracts';
import type { RestError } from '../http/problem.filter.js';
import { BODY, fieldOf, readJson, refuseRepeated } from '../http/json-body.js';
import type { GivenOperation } from './batch-operations.js';
import type { OperationResult } from './batch-run.js';
import { instant, valueFields } from './representation.js';

type Unfit = Parameters<typeof fieldOf>[0] & { readonly message: string };

const WHAT = 'The batch';
const ISSUES_SHOWN_MAX = 5;

export function readJsonBatch(body: Uint8Array): readonly GivenOperation[] {
  const { text, value } = readJson(body);
  const plain = plainOperations(value);
  // JSON.parse keeps one of two fields of one name: then fewer are left than were written.
  if (plain !== null && plain.fields === fieldsWritten(text)) return plain.operations;
  refuseRepeated(text, WHAT);
  checkCount((value as { operations?: { length?: number } } | null)?.operations);
  const parsed = batchRequestSchema.safeParse(value);
  if (parsed.success) return parsed.data.operations;
  const issueOf = (issue: Unfit): BatchIssue => ({ field: fieldOf(issue), message: issue.message });
  const [first, ...others] = parsed.error.issues.slice(0, ISSUES_SHOWN_MAX).map(issueOf);
  throw invalidBatch([first ?? { field: BODY, message: 'it is no batch' }, ...others]);
}

/** Before anything looks at each of them. */
function checkCount(operations: unknown): void {
  if (Array.isArray(operations) && operations.length > REST_LIMITS.batchOperationsMax)
    throw tooManyOperations(operations.length);
}

interface Plain {
  readonly operations: readonly GivenOperation[];
  /** So many it has, with its own. */
  readonly fields: number;
}

/** Null for anything that the schema might refuse, or change. */
function plainOperations(value: unknown): Plain | null {
  if (typeof value !== 'object' || value === null) return null;
  const { operations, ...others } = value as { operations?: unknown };
  for (const _ in others) return null;
  if (!Array.isArray(operations) || operations.length > REST_LIMITS.batchOperationsMax) return null;
  let fields = 1;
  for (const operation of operations) {
    const own = plainFields(operation);
    if (own === 0) return null;
    fields += own;
  }
  return { operations: operations as GivenOperation[], fields };
}

/** How many fields a plain operation has; 0 for any other. */
function plainFields(operation: unknown): number {
  if (typeof operation !== 'object' || operation === null) return 0;
  const given = operation as Record<string, unknown>;
  const { op } = given;
  if (op !== 'put' && op !== 'get' && op !== 'delete') return 0;
  let fields = 0;
  for (const name in given) {
    if (!isPlainField(op, name, given[name])) return 0;
    fields += 1;
  }
  return typeof given['key'] === 'string' ? fields : 0;
}

function isPlainField(op: 'put' | 'get' | 'delete', name: string, value: unknown): boolean {
  switch (name) {
    case 'op':
      return true;
    case 'key':
      return typeof value === 'string';
    case 'value':
    case 'valueBase64':
    case 'contentType':
      return op === 'put' && typeof value === 'string';
    case 'ifRevision':
    case 'ifVersion':
      return op !== 'get' && Number.isSafeInteger(value) && (value as number) >= 1;
    case 'ifPresent':
      return op !== 'get' && value === true;
    case 'ifAbsent':
      return op === 'put' && value === true;
    default:
      return false;
  }
}

export function writeJsonResults(results: readonly OperationResult[]): string {
  let text = '{"results":[';
  for (let i = 0; i < results.length; i += 1) {
    if (i > 0) text += ',';
    text += jsonOf(results[i] as OperationResult);
  }
  return `${text}]}`;
}

function jsonOf(result: OperationResult): string {
  if (result.kind !== 'written') return JSON.stringify(resultOf(result));
  return `{"status":${result.status},"revision":${result.revision},"version":${result.version}}`;
}

function resultOf(result: Exclude<OperationResult, { kind: 'written' }>): BatchResult {
  if (result.kind === 'failed') return failureOf(result.error);
  const { row, value } = result;
  return {
    status: 200,
    revision: row.revision,
    version: row.version,
    ...valueFields(value),
    contentType: row.contentType,
    createdAt: instant(row.createdAt),
    modifiedAt: instant(row.modifiedAt),
  };
}

export function failureOf(
  error: RestError,
): Pick<BatchResult, 'status' | 'code' | 'detail' | 'revision' | 'version'> {
  const { code, message: detail, details } = error;
  const failure = { status: ERROR_CATALOGUE[code].httpStatus, code, detail };
  if (code !== 'PRECONDITION_FAILED') return failure;
  return { ...failure, revision: Number(details['revision']), version: Number(details['version']) };
}
