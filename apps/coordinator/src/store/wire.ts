/** Between the control contracts, whose optional fields are absent, and the store's own types, which say 0 or null. */
import { OperationalError } from '@ringleader/contracts';
import type { RequestOf, ResponseOf, coordinatorContracts } from '@ringleader/contracts';
import type { KeyRange, KeyValue, Operation, OperationResult, Rejection, TxnCommand } from '@ringleader/mvcc';

type TxnRequest = RequestOf<typeof coordinatorContracts.txn>;
type WireOperation = TxnRequest['success'][number];
type WireOperationResult = ResponseOf<typeof coordinatorContracts.txn>['results'][number];

/**
 * Of the keys and values in one answer, in UTF-16 units. JSON may take six bytes for one of them (control characters), so
 * an answer stays below 4 MiB.
 */
export const ANSWER_LENGTH_MAX = 524_288;
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
    compare: request.compare,
    success: request.success.map(toOperation),
    failure: request.failure.map(toOperation),
  };
}

function toOperation(operation: WireOperation): Operation {
  switch (operation.kind) {
    case 'put':
      return { kind: 'put', key: operation.key, value: operation.value, lease: operation.lease ?? 0 };
    case 'delete':
      return { kind: 'delete', ...toKeyRange(operation) };
    case 'range': {
      const limit = Math.min(operation.limit ?? ANSWER_ITEMS_MAX, ANSWER_ITEMS_MAX);
      return { kind: 'range', ...toKeyRange(operation), limit };
    }
  }
}

/** Cuts what does not fit into one answer off the ends of the lists, and says so by `more`. */
export function toWireResults(results: readonly OperationResult[]): WireOperationResult[] {
  let length = 0;
  const fits = ({ key, value }: KeyValue): boolean =>
    (length += key.length + value.length) <= ANSWER_LENGTH_MAX;
  return results.map((result) => {
    if (result.kind !== 'range') return result;
    const cut = result.items.findIndex((item) => !fits(item));
    if (cut === -1) return { ...result, items: [...result.items] };
    return { ...result, items: result.items.slice(0, cut), more: true };
  });
}

export function toOperationalError(rejection: Rejection): OperationalError {
  const details = { ...rejection };
  switch (rejection.reason) {
    case 'leaseNotFound':
      return leaseNotFound(rejection.lease);
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
