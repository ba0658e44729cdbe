import type {
  Compare,
  Operation,
  OperationResult,
  PutOperation,
  Rejection,
  StoreRevision,
  TxnCommand,
} from './commands.js';
import type { KeyIndex, KeyState } from './key-index.js';
import { compareKeys } from '@ringleader/primitives';
import { KeySet } from './key-range.js';
import type { KeyRange } from './key-range.js';
import type { LeaseTable } from './lease-table.js';
import { collectRange } from './range.js';

export function compareHolds(compare: Compare, index: KeyIndex): boolean {
  const state = index.newestLive(compare.key);
  if (compare.target === 'value') {
    return state !== undefined && orderMatches(compareKeys(state.value, compare.operand), compare.result);
  }
  return orderMatches((state?.[compare.target] ?? 0) - compare.operand, compare.result);
}

function orderMatches(order: number, result: Compare['result']): boolean {
  switch (result) {
    case 'equal':
      return order === 0;
    case 'notEqual':
      return order !== 0;
    case 'greater':
      return order > 0;
    case 'less':
      return order < 0;
  }
}

/** Whether neither branch can change anything. */
export function isReadOnly({ success, failure }: TxnCommand): boolean {
  return [...success, ...failure].every((operation) => operation.kind === 'range');
}

/** A key that these operations would change twice, or null. Known before anything is executed. */
export function duplicateKey(operations: readonly Operation[]): string | null {
  const deleted = new KeySet(operations.filter((operation) => operation.kind === 'delete'));
  const seen = new Set<string>();
  for (const operation of operations) {
    if (operation.kind !== 'put') continue;
    const { key } = operation;
    if (seen.has(key) || deleted.has(key)) return key;
    seen.add(key);
  }
  return null;
}

export function rejectionOf(operations: readonly Operation[], leases: LeaseTable): Rejection | null {
  const duplicate = duplicateKey(operations);
  if (duplicate !== null) return { reason: 'duplicateKey', key: duplicate };
  for (const operation of operations) {
    if (operation.kind === 'put' && operation.lease !== 0 && !leases.has(operation.lease)) {
      return { reason: 'leaseNotFound', lease: operation.lease };
    }
  }
  return null;
}

/** Changes at one revision, made one after the other; reads in between see them. */
export class Transaction {
  readonly changes = new Map<string, KeyState>();

  constructor(
    private readonly index: KeyIndex,
    private readonly leases: LeaseTable,
    /** What the store's revision will be if anything changes. */
    private readonly revision: StoreRevision,
  ) {}

  execute(operation: Operation): OperationResult {
    switch (operation.kind) {
      case 'put':
        this.#put(operation);
        return { kind: 'put' };
      case 'delete':
        return { kind: 'delete', deleted: this.deleteRange(operation) };
      case 'range':
        return { kind: 'range', ...collectRange(this.index.liveWithin(operation, this.revision), operation) };
    }
  }

  deleteRange(range: KeyRange): number {
    const keys = [...this.index.liveWithin(range, this.revision)].map((item) => item.key);
    for (const key of keys) this.deleteLive(key);
    return keys.length;
  }

  deleteLive(key: string): void {
    const { revision } = this;
    const previous = this.index.newestLive(key);
    if (previous === undefined) return;
    this.leases.detach(key, previous.lease);
    this.#change(key, { modRevision: revision, createRevision: 0, version: 0, value: '', lease: 0 });
  }

  #put({ key, value, lease }: PutOperation): void {
    const { revision } = this;
    const previous = this.index.newestLive(key);
    if (previous !== undefined) this.leases.detach(key, previous.lease);
    this.leases.attach(key, lease);
    this.#change(key, {
      modRevision: revision,
      createRevision: previous?.createRevision ?? revision,
      version: (previous?.version ?? 0) + 1,
      value,
      lease,
    });
  }

  #change(key: string, state: KeyState): void {
    this.index.append(key, state);
    this.changes.set(key, state);
  }
}
