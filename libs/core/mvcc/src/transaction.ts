import { invariant, packBytes } from '@ringleader/primitives';
import type { Change, ChangeLog } from './change-log.js';
import { ANSWER_BYTES_MAX } from './commands.js';
import type {
  Branches,
  Compare,
  DeleteOperation,
  KeyValue,
  Operation,
  OperationResult,
  PutOperation,
  RangeOperation,
  Rejection,
  StoreRevision,
} from './commands.js';
import type { KeyIndex } from './key-index.js';
import { type State, itemSize, stateSize, toKeyValue, tombstone } from './key-values.js';
import type { LeaseTable } from './lease-table.js';
import { readPoint, readRange } from './range.js';

/** The branches that the comparisons choose, all of them before anything is executed. */
export interface Chosen {
  readonly kind: 'txn';
  readonly succeeded: boolean;
  readonly steps: readonly (Exclude<Operation, { kind: 'txn' }> | Chosen)[];
}

export function choose({ compare, success, failure }: Branches, index: KeyIndex): Chosen {
  const succeeded = compare.every((one) => compareHolds(one, index));
  const steps = (succeeded ? success : failure).map((operation) =>
    operation.kind === 'txn' ? choose(operation, index) : operation,
  );
  return { kind: 'txn', succeeded, steps };
}

function compareHolds(compare: Compare, index: KeyIndex): boolean {
  let isEmpty = true;
  for (const state of index.liveWithin(compare, Infinity)) {
    isEmpty = false;
    if (!stateMatches(compare, state)) return false;
  }
  if (!isEmpty) return true;
  return compare.target !== 'value' && orderMatches(0 - compare.operand, compare.result);
}

function stateMatches(compare: Compare, state: State): boolean {
  if (compare.target !== 'value')
    return orderMatches(state[compare.target] - compare.operand, compare.result);
  const operand = packBytes(compare.operand);
  const order = state.packed < operand ? -1 : Number(state.packed > operand);
  return orderMatches(order, compare.result);
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

/** What a store has that decides whether operations may be executed. */
export interface Ground {
  readonly index: KeyIndex;
  readonly leases: LeaseTable;
  readonly revision: StoreRevision;
  readonly compacted: StoreRevision;
  readonly exemptPrefix: string;
}

/** What the puts of a transaction, but of keys that are exempt, add to the size of the store, or why it is refused. */
export function assess(chosen: Chosen, ground: Ground): { readonly addedBytes: number } | Rejection {
  let addedBytes = 0;
  for (const step of chosen.steps) {
    const found = assessStep(step, ground);
    if ('reason' in found) return found;
    addedBytes += found.addedBytes;
  }
  return { addedBytes };
}

const NOTHING_ADDED = { addedBytes: 0 };

function assessStep(
  step: Chosen['steps'][number],
  ground: Ground,
): { readonly addedBytes: number } | Rejection {
  switch (step.kind) {
    case 'txn':
      return assess(step, ground);
    case 'put':
      return assessPut(step, ground);
    case 'range':
      return revisionRefusal(step.revision, ground) ?? NOTHING_ADDED;
    case 'delete':
      return NOTHING_ADDED;
  }
}

function assessPut(
  { key, value, lease }: PutOperation,
  { index, leases, exemptPrefix }: Ground,
): ReturnType<typeof assess> {
  const previous = index.newestLive(key);
  if ((value === null || lease === null) && previous === undefined) return { reason: 'keyNotFound', key };
  if (lease !== null && lease !== 0 && !leases.has(lease)) return { reason: 'leaseNotFound', lease };
  if (isExempt(key, exemptPrefix)) return NOTHING_ADDED;
  const kept = value ?? previous?.packed;
  return { addedBytes: stateSize(key, kept === undefined ? 0 : kept.length) };
}

const isExempt = (key: string, prefix: string): boolean => prefix !== '' && key.startsWith(prefix);

/** Why nothing can be read at a revision, or null. */
export function revisionRefusal(
  revision: StoreRevision,
  store: Pick<Ground, 'revision' | 'compacted'>,
): Extract<Rejection, { reason: 'compacted' | 'futureRevision' }> | null {
  if (revision > store.revision) return { reason: 'futureRevision', revision: store.revision };
  if (revision === 0 || revision >= store.compacted) return null;
  return { reason: 'compacted', compactedRevision: store.compacted };
}

/** Changes at one revision, made one after the other; reads in between see them. */
export class Transaction {
  readonly changes: Change[] = [];
  /** What the store's revision will be if anything changes. */
  private readonly revision: StoreRevision;
  #answerBytes = 0;

  constructor(
    private readonly index: KeyIndex,
    private readonly leases: LeaseTable,
    private readonly log: ChangeLog,
  ) {
    this.revision = log.newest + 1;
  }

  execute(step: Chosen['steps'][number]): OperationResult {
    switch (step.kind) {
      case 'put':
        return this.#put(step);
      case 'delete':
        return this.#deleteRange(step);
      case 'range':
        return this.#read(step);
      case 'txn':
        return {
          kind: 'txn',
          succeeded: step.succeeded,
          results: step.steps.map((each) => this.execute(each)),
        };
    }
  }

  deleteLive(key: string): void {
    const previous = this.index.newestLive(key);
    if (previous === undefined) return;
    this.leases.detach(key, previous.lease);
    this.#change(tombstone(key, this.revision), previous);
  }

  #read(operation: RangeOperation): OperationResult {
    const { log, revision } = this;
    const point =
      operation.revision === 0
        ? { revision, laterCount: 0, later: () => [] }
        : readPoint(
            log,
            operation.revision,
            this.changes.map(({ state }) => state),
          );
    if (this.#answerBytes >= ANSWER_BYTES_MAX) {
      const { count } = readRange(this.index, { ...operation, countOnly: true }, point);
      return { kind: 'range', items: [], count, more: count > 0 && !operation.countOnly };
    }
    const sizeBytesMax = ANSWER_BYTES_MAX - this.#answerBytes;
    const result = readRange(this.index, { ...operation, sizeBytesMax }, point);
    for (const item of result.items) this.#answerBytes += itemSize(item);
    return { kind: 'range', ...result };
  }

  /** Of these as many as the answer has room for. */
  #shown(states: readonly State[]): { readonly items: readonly KeyValue[]; readonly more: boolean } {
    const items: KeyValue[] = [];
    for (const state of states) {
      const size = itemSize({ key: state.key, value: state.packed });
      if (this.#answerBytes > 0 && this.#answerBytes + size > ANSWER_BYTES_MAX) return { items, more: true };
      this.#answerBytes += size;
      items.push(toKeyValue(state));
    }
    return { items, more: false };
  }

  #deleteRange({ key, rangeEnd, wantsPrevious }: DeleteOperation): OperationResult {
    const deleted = [...this.index.liveWithin({ key, rangeEnd }, this.revision)];
    for (const state of deleted) this.deleteLive(state.key);
    const { items: previous, more } = this.#shown(wantsPrevious ? deleted : []);
    return { kind: 'delete', deleted: deleted.length, previous, more };
  }

  #put(operation: PutOperation): OperationResult {
    const { key, wantsPrevious } = operation;
    const previous = this.index.newestLive(key);
    if (previous !== undefined) this.leases.detach(key, previous.lease);
    const state = written(operation, previous, this.revision);
    this.leases.attach(key, state.lease);
    this.#change(state, previous);
    const shown = this.#shown(wantsPrevious && previous !== undefined ? [previous] : []);
    return { kind: 'put', previous: shown.items[0] ?? null, more: shown.more };
  }

  #change(state: State, previous: State | undefined): void {
    this.index.append(state);
    this.changes.push({ state, previous });
  }
}

function written(operation: PutOperation, previous: State | undefined, modRevision: StoreRevision): State {
  const { key } = operation;
  const packed = operation.value === null ? previous?.packed : packBytes(operation.value);
  const lease = operation.lease ?? previous?.lease;
  invariant(packed !== undefined && lease !== undefined, 'what is kept is there: it was looked for');
  if (previous === undefined)
    return { key, packed, createRevision: modRevision, modRevision, version: 1, lease };
  const { createRevision, version } = previous;
  return { key, packed, createRevision, modRevision, version: version + 1, lease };
}
