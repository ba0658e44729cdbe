/**
 * Between the control contracts, whose optional fields are absent and whose values are texts, and the store's own types,
 * which say 0 or null and whose values are bytes.
 */
import { OperationalError, compactedError } from '@ringleader/contracts';
import type {
  RequestOf,
  ResponseOf,
  StoreCompare,
  StoreOperation,
  StoreOperationResult,
  ValueForm,
  coordinatorContracts,
} from '@ringleader/contracts';
import { plainRead } from '@ringleader/mvcc';
import type {
  Branches,
  Compare,
  KeyRange,
  KeyValue,
  Operation,
  OperationResult,
  ReadOptions,
  Rejection,
} from '@ringleader/mvcc';
import { isUtf8 } from '@ringleader/primitives';

type RangeRequest = RequestOf<typeof coordinatorContracts.range>;
type WireItem = ResponseOf<typeof coordinatorContracts.range>['items'][number];
type WireBranches = Pick<RequestOf<typeof coordinatorContracts.txn>, 'compare' | 'success' | 'failure'>;

/** JSON may take six bytes for one of a value (control characters): with as many bytes as the store gives, an answer stays below 4 MiB. */
export const ANSWER_ITEMS_MAX = 5_000;

export function toKeyRange(range: {
  readonly key: string;
  readonly rangeEnd?: string | undefined;
}): KeyRange {
  return { key: range.key, rangeEnd: range.rangeEnd ?? null };
}

/** Absent fields are as in a plain read, and without a limit there is still that of an answer. */
export function toReadOptions(request: Partial<RangeRequest>): ReadOptions {
  const { revision, sortBy, order, keysOnly, countOnly } = request;
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return {
    revision: revision ?? plainRead.revision,
    limit: Math.min(request.limit ?? ANSWER_ITEMS_MAX, ANSWER_ITEMS_MAX),
    sortBy: sortBy ?? plainRead.sortBy,
    isDescending: order === 'descending',
    keysOnly: keysOnly ?? false,
    countOnly: countOnly ?? false,
    minModRevision: minModRevision ?? 0,
    maxModRevision: maxModRevision ?? 0,
    minCreateRevision: minCreateRevision ?? 0,
    maxCreateRevision: maxCreateRevision ?? 0,
  };
}

export function toBranches({ compare, success, failure }: WireBranches): Branches {
  return {
    compare: compare.map(toCompare),
    success: success.map(toOperation),
    failure: failure.map(toOperation),
  };
}

/** What is no text goes as base64, whatever was asked for: nothing is lost. */
export function toWireItem({ value, ...item }: KeyValue, form: ValueForm = 'text'): WireItem {
  if (form === 'text' && isUtf8(value)) return { ...item, value: toText(value) };
  const { buffer, byteOffset, byteLength } = value;
  return { ...item, value: '', valueBase64: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
}

export const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** A byte order mark is part of the text. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Not by way of a Buffer, which would give each small value a memory of its own for good. */
export const toText = (value: Uint8Array): string => utf8.decode(value);

/** Null where neither is given. */
function bytesOf(asText: string | undefined, base64: string | undefined): Uint8Array | null {
  if (asText !== undefined) return toBytes(asText);
  return base64 === undefined ? null : new Uint8Array(Buffer.from(base64, 'base64'));
}

const NO_BYTES = new Uint8Array(0);

function toCompare(compare: StoreCompare): Compare {
  const { result } = compare;
  if (compare.target !== 'value')
    return { ...toKeyRange(compare), result, target: compare.target, operand: compare.operand };
  const operand = bytesOf(compare.operand, compare.operandBase64) ?? NO_BYTES;
  return { ...toKeyRange(compare), result, target: 'value', operand };
}

function toOperation(operation: StoreOperation): Operation {
  switch (operation.kind) {
    case 'put': {
      const { key, keepValue, keepLease, wantsPrevious = false } = operation;
      const value = keepValue === true ? null : bytesOf(operation.value, operation.valueBase64);
      const lease = keepLease === true ? null : (operation.lease ?? 0);
      return { kind: 'put', key, value, lease, wantsPrevious };
    }
    case 'delete': {
      const { wantsPrevious = false } = operation;
      return { kind: 'delete', ...toKeyRange(operation), wantsPrevious };
    }
    case 'range':
      return { kind: 'range', ...toReadOptions(operation), ...toKeyRange(operation) };
    case 'txn':
      return { kind: 'txn', ...toBranches(operation) };
  }
}

/** The results of operations, which are asked what of a previous value they have. */
export function toWireResults(
  operations: readonly Operation[],
  results: readonly OperationResult[],
  form?: ValueForm,
): StoreOperationResult[] {
  return results.map((result, i) => toWireResult(operations[i] as Operation, result, form));
}

function toWireResult(operation: Operation, result: OperationResult, form?: ValueForm): StoreOperationResult {
  const item = (found: KeyValue): WireItem => toWireItem(found, form);
  switch (result.kind) {
    case 'put':
      return {
        kind: 'put',
        ...(result.previous !== null && { previous: item(result.previous) }),
        ...(result.more && { more: true }),
      };
    case 'delete':
      return {
        kind: 'delete',
        deleted: result.deleted,
        ...(operation.kind === 'delete' &&
          operation.wantsPrevious && { previous: result.previous.map(item) }),
        ...(result.more && { more: true }),
      };
    case 'range':
      return { ...result, items: result.items.map(item) };
    case 'txn': {
      const { succeeded, results } = result;
      const taken = operation.kind === 'txn' ? operation[succeeded ? 'success' : 'failure'] : [];
      return { kind: 'txn', succeeded, results: toWireResults(taken, results, form) };
    }
  }
}

export function toOperationalError(rejection: Rejection): OperationalError {
  const { reason, ...details } = rejection;
  switch (reason) {
    case 'leaseNotFound':
      return leaseNotFound(rejection.lease);
    case 'compacted':
      return compactedError(null, rejection.compactedRevision);
    case 'futureRevision':
      return futureRevision(rejection.revision);
    case 'nestedTooDeep':
      return new OperationalError('NESTED_TOO_DEEP', 'Transactions are nested too deep', details);
    case 'keyNotFound':
      return new OperationalError(
        'KEY_NOT_FOUND',
        'A key that does not exist has no value and no lease to keep',
        details,
      );
    case 'leaseExists':
      return new OperationalError('LEASE_EXISTS', 'There is a lease with this id', details);
    case 'storeFull':
      return new OperationalError(
        'STORE_FULL',
        'The store is full: it takes deletions, and what the cluster needs, until these and compaction have made room',
        details,
      );
    case 'leasesFull':
      return new OperationalError(
        'STORE_FULL',
        'There are as many leases as the store has room for: it takes more when some have ended',
        details,
      );
    case 'duplicateKey':
      return new OperationalError('DUPLICATE_KEY', 'A transaction may change a key only once', details);
    case 'staleTerm':
      return new OperationalError('UNAVAILABLE', 'The leader changed before this was decided', details);
  }
}

/** `where` names what was wrong. */
export function futureRevision(
  newest: number,
  where: Readonly<Record<string, string>> = {},
): OperationalError {
  const detail = `The newest revision is ${newest}: what is to come has no state yet`;
  return new OperationalError('FUTURE_REVISION', detail, { ...where, revision: newest });
}

export function leaseNotFound(lease: number): OperationalError {
  return new OperationalError('LEASE_NOT_FOUND', 'The lease was revoked, has run out or never existed', {
    lease,
  });
}
