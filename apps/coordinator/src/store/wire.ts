/**
 * Between the control contracts, whose optional fields are absent and whose values are texts, and the store's own types,
 * which say 0 or null and whose values are bytes.
 */
import { OperationalError } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, coordinatorContracts } from '@ringleader/contracts';
import { itemSize, plainRead } from '@ringleader/mvcc';
import type {
  Compare,
  KeyRange,
  KeyValue,
  Operation,
  OperationResult,
  Rejection,
  TxnCommand,
} from '@ringleader/mvcc';
import { InvariantError } from '@ringleader/primitives';

type TxnRequest = RequestOf<typeof coordinatorContracts.txn>;
type WireOperation = TxnRequest['success'][number];
type WireCompare = TxnRequest['compare'][number];
type WireItem = ResponseOf<typeof coordinatorContracts.range>['items'][number];
type WireOperationResult = ResponseOf<typeof coordinatorContracts.txn>['results'][number];

/**
 * Of the keys and values in one answer. JSON may take six bytes for one of them (control characters), so an answer stays
 * below 4 MiB.
 */
export const ANSWER_BYTES_MAX = 524_288;
export const ANSWER_ITEMS_MAX = 5_000;

export function toKeyRange(range: {
  readonly key: string;
  readonly rangeEnd?: string | undefined;
}): KeyRange {
  return { key: range.key, rangeEnd: range.rangeEnd ?? null };
}

export function toTxnCommand(request: TxnRequest): TxnCommand {
  return {
    kind: 'txn',
    compare: request.compare.map(toCompare),
    success: request.success.map(toOperation),
    failure: request.failure.map(toOperation),
  };
}

export function toWireItem({ value, ...item }: KeyValue): WireItem {
  return { ...item, value: toText(value) };
}

export const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** A byte order mark is part of the text. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Not by way of a Buffer, which would give each small value a memory of its own for good. */
export const toText = (value: Uint8Array): string => utf8.decode(value);

function toCompare(compare: WireCompare): Compare {
  const { key, result } = compare;
  if (compare.target !== 'value')
    return { key, rangeEnd: null, result, target: compare.target, operand: compare.operand };
  return { key, rangeEnd: null, result, target: 'value', operand: toBytes(compare.operand) };
}

function toOperation(operation: WireOperation): Operation {
  switch (operation.kind) {
    case 'put': {
      const { key, lease = 0 } = operation;
      return { kind: 'put', key, value: toBytes(operation.value), lease, wantsPrevious: false };
    }
    case 'delete':
      return { kind: 'delete', ...toKeyRange(operation), wantsPrevious: false };
    case 'range': {
      const limit = Math.min(operation.limit ?? ANSWER_ITEMS_MAX, ANSWER_ITEMS_MAX);
      return { kind: 'range', ...plainRead, ...toKeyRange(operation), limit };
    }
  }
}

/** Cuts what does not fit into one answer off the ends of the lists, and says so by `more`. */
export function toWireResults(results: readonly OperationResult[]): WireOperationResult[] {
  let size = 0;
  const fits = (item: KeyValue): boolean => (size += itemSize(item)) <= ANSWER_BYTES_MAX;
  return results.map((result) => {
    switch (result.kind) {
      case 'put':
        return { kind: 'put' };
      case 'delete':
        return { kind: 'delete', deleted: result.deleted };
      case 'range': {
        const cut = result.items.findIndex((item) => !fits(item));
        const items = cut === -1 ? result.items : result.items.slice(0, cut);
        return { ...result, items: items.map(toWireItem), more: result.more || cut !== -1 };
      }
      case 'txn':
        throw new InvariantError('the contract has no nested transactions');
    }
  });
}

export function toOperationalError(rejection: Rejection): OperationalError {
  const details = { ...rejection };
  switch (rejection.reason) {
    case 'leaseNotFound':
      return leaseNotFound(rejection.lease);
    case 'compacted':
      return compacted(rejection.compactedRevision);
    case 'nestedTooDeep':
      return new OperationalError('INVALID_ARGUMENT', 'Transactions are nested too deep', details);
    case 'keyNotFound':
      return new OperationalError(
        'INVALID_ARGUMENT',
        'A key that does not exist has no value and no lease to keep',
        details,
      );
    case 'leaseExists':
      return new OperationalError('INVALID_ARGUMENT', 'There is a lease with this id', details);
    case 'storeFull':
      return new OperationalError(
        'OVERLOADED',
        'The store is full: it takes deletions only, until these and compaction have made room',
        details,
      );
    case 'duplicateKey':
      return new OperationalError('INVALID_ARGUMENT', 'A transaction may change a key only once', details);
    case 'futureRevision':
      return new OperationalError('INVALID_ARGUMENT', 'The revision does not exist yet', details);
    case 'staleTerm':
      return new OperationalError('UNAVAILABLE', 'The leader changed before this was decided', details);
  }
}

export function leaseNotFound(lease: number): OperationalError {
  return new OperationalError('LEASE_NOT_FOUND', 'The lease was revoked, has run out or never existed', {
    lease,
  });
}

export function compacted(compactedRevision: number): OperationalError {
  return new OperationalError('COMPACTED', 'This revision is no longer kept', { compactedRevision });
}
