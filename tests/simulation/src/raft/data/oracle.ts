/**
 * The store by one who has all the time and memory there are: a copy of every key for every revision, and every answer from
 * such copies. It knows no bounds of size. It shares nothing with the store that it judges but the shapes of questions and answers.
 */
import type {
  Branches,
  Command,
  CommandResult,
  Compare,
  KeyRange,
  KeyValue,
  LeaseId,
  Operation,
  OperationResult,
  RangeOutcome,
  RangeQuery,
  RangeResult,
  ReadOptions,
  Rejection,
  StoreRevision,
  TxnCommand,
  WatchEvent,
} from '@ringleader/mvcc';

export type State = ReadonlyMap<string, KeyValue>;

/** A moment of the store: what can be read then. */
export interface View {
  readonly states: readonly State[];
  readonly revision: StoreRevision;
  readonly compacted: StoreRevision;
}

type Refusable = Extract<Rejection, { reason: 'compacted' | 'futureRevision' }>;
type Step =
  | Exclude<Operation, { kind: 'txn' }>
  | { readonly kind: 'txn'; readonly succeeded: boolean; readonly steps: readonly Step[] };

/** Ids above are left to those who want one. */
const drawnLeaseMax = 2 ** 52;

/** Keys here are ASCII. */
function byKey(a: KeyValue, b: KeyValue): number {
  return Number(a.key > b.key) - Number(a.key < b.key);
}

export function contains({ key: first, rangeEnd }: KeyRange, key: string): boolean {
  return rangeEnd === null ? key === first : key >= first && (rangeEnd === '' || key < rangeEnd);
}

function within(state: State, range: KeyRange): KeyValue[] {
  return [...state.values()].filter(({ key }) => contains(range, key)).sort(byKey);
}

function orderOfBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

function isAsCompared(order: number, { result }: Compare): boolean {
  if (result === 'equal') return order === 0;
  if (result === 'notEqual') return order !== 0;
  return result === 'greater' ? order > 0 : order < 0;
}

function holds(compare: Compare, state: State): boolean {
  const items = within(state, compare);
  if (compare.target === 'value') {
    const { operand } = compare;
    return (
      items.length > 0 && items.every(({ value }) => isAsCompared(orderOfBytes(value, operand), compare))
    );
  }
  const { target, operand } = compare;
  const values = items.length > 0 ? items.map((item) => item[target]) : [0];
  return values.every((value) => isAsCompared(value - operand, compare));
}

function stepsOf({ compare, success, failure }: Branches, state: State): Extract<Step, { kind: 'txn' }> {
  const succeeded = compare.every((one) => holds(one, state));
  const steps = (succeeded ? success : failure).map((operation) =>
    operation.kind === 'txn' ? stepsOf(operation, state) : operation,
  );
  return { kind: 'txn', succeeded, steps };
}

/** What an operation might change, whichever branches are taken. */
function reachOf(operation: Operation): {
  readonly puts: readonly string[];
  readonly deletes: readonly KeyRange[];
} {
  switch (operation.kind) {
    case 'put':
      return { puts: [operation.key], deletes: [] };
    case 'delete':
      return { puts: [], deletes: [operation] };
    case 'range':
      return { puts: [], deletes: [] };
    case 'txn': {
      const all = [...operation.success, ...operation.failure].map(reachOf);
      return { puts: all.flatMap(({ puts }) => puts), deletes: all.flatMap(({ deletes }) => deletes) };
    }
  }
}

/** A key that a branch might put twice, or put and delete; null if there is none. */
function changedTwice(branch: readonly Operation[]): string | null {
  const reaches = branch.map(reachOf);
  for (const [at, { puts }] of reaches.entries()) {
    for (const key of puts) {
      const isAlso = ({ puts: others, deletes }: (typeof reaches)[number], other: number): boolean =>
        other !== at && (others.includes(key) || deletes.some((range) => contains(range, key)));
      if (reaches.some(isAlso)) return key;
    }
  }
  for (const operation of branch) {
    const key =
      operation.kind === 'txn' ? (changedTwice(operation.success) ?? changedTwice(operation.failure)) : null;
    if (key !== null) return key;
  }
  return null;
}

function refusalOf(revision: StoreRevision, view: View): Refusable | null {
  if (revision > view.revision) return { reason: 'futureRevision', revision: view.revision };
  const isGone = revision > 0 && revision < view.compacted;
  return isGone ? { reason: 'compacted', compactedRevision: view.compacted } : null;
}

function isInBounds({ modRevision, createRevision }: KeyValue, options: ReadOptions): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = options;
  const isBelow = (value: number, max: number): boolean => max === 0 || value <= max;
  return (
    modRevision >= minModRevision &&
    isBelow(modRevision, maxModRevision) &&
    createRevision >= minCreateRevision &&
    isBelow(createRevision, maxCreateRevision)
  );
}

function read(state: State, query: KeyRange & ReadOptions): RangeResult {
  const all = within(state, query);
  if (query.countOnly) return { items: [], count: all.length, more: false };
  const { sortBy, limit } = query;
  const order = (a: KeyValue, b: KeyValue): number => {
    if (sortBy === 'key') return byKey(a, b);
    return sortBy === 'value' ? orderOfBytes(a.value, b.value) : a[sortBy] - b[sortBy];
  };
  const found = all.filter((item) => isInBounds(item, query));
  found.sort((a, b) => (query.isDescending ? order(b, a) : order(a, b)));
  const items = limit === 0 ? found : found.slice(0, limit);
  const shown = query.keysOnly ? items.map((item) => ({ ...item, value: new Uint8Array(0) })) : items;
  return { items: shown, count: all.length, more: items.length < found.length };
}

export function rangeIn(view: View, query: RangeQuery): RangeOutcome {
  const revision = query.revision === 0 ? view.revision : query.revision;
  const refused = refusalOf(revision, view);
  if (refused === null) return { kind: 'range', revision, ...read(view.states[revision] as State, query) };
  return refused.reason === 'compacted'
    ? { kind: 'compacted', compactedRevision: refused.compactedRevision }
    : { kind: 'futureRevision', revision: refused.revision };
}

/** The keys while a transaction changes them. */
class Draft {
  readonly keys: Map<string, KeyValue>;
  readonly #view: View;

  constructor(view: View) {
    this.#view = view;
    this.keys = new Map(view.states[view.revision]);
  }

  do(step: Step): OperationResult {
    switch (step.kind) {
      case 'txn':
        return { kind: 'txn', succeeded: step.succeeded, results: step.steps.map((each) => this.do(each)) };
      case 'range':
        return {
          kind: 'range',
          ...read(step.revision === 0 ? this.keys : (this.#view.states[step.revision] as State), step),
        };
      case 'delete': {
        const gone = within(this.keys, step);
        for (const { key } of gone) this.keys.delete(key);
        return {
          kind: 'delete',
          deleted: gone.length,
          previous: step.wantsPrevious ? gone : [],
          more: false,
        };
      }
      case 'put':
        return { kind: 'put', previous: this.#put(step), more: false };
    }
  }

  #put({ key, value, lease, wantsPrevious }: Extract<Step, { kind: 'put' }>): KeyValue | null {
    const modRevision = this.#view.revision + 1;
    const before = this.keys.get(key) ?? null;
    this.keys.set(key, {
      key,
      value: value ?? (before as KeyValue).value,
      lease: lease ?? (before as KeyValue).lease,
      createRevision: before?.createRevision ?? modRevision,
      modRevision,
      version: (before?.version ?? 0) + 1,
    });
    return wantsPrevious ? before : null;
  }
}

export class StoreOracle {
  /** By revision. */
  readonly states: State[] = [new Map()];
  /** By revision, in the order of the keys. */
  readonly events: WatchEvent[][] = [[]];
  readonly leases = new Map<LeaseId, number>();
  compacted: StoreRevision = 0;
  #lastLease: LeaseId = 0;
  #wantedGrants = 0;
  /** Which of those that had this wanted id a lease is. */
  readonly #grants = new Map<LeaseId, number>();

  get revision(): StoreRevision {
    return this.states.length - 1;
  }

  apply(command: Command, term: number): CommandResult {
    switch (command.kind) {
      case 'txn':
        return this.evaluate(command, this);
      case 'leaseGrant':
        return this.#grant(command.ttlMs, command.wanted);
      case 'leaseRevoke':
        if (this.leases.has(command.lease)) return this.#end([command.lease]);
        return this.#rejected({ reason: 'leaseNotFound', lease: command.lease });
      case 'leaseExpire':
        return command.term === term
          ? this.#end(command.leases.filter((lease) => (this.#grants.get(lease) ?? 0) <= command.asOf))
          : this.#rejected({ reason: 'staleTerm', term });
      case 'compact':
        return this.#compact(command.revision);
      case 'limitSize':
        throw new RangeError('the oracle has no limit of size');
    }
  }

  /** As of a view, which for what changes anything has to be the present. */
  evaluate(command: TxnCommand, view: View): CommandResult {
    const { revision } = view;
    const twice = changedTwice(command.success) ?? changedTwice(command.failure);
    if (twice !== null)
      return { kind: 'rejected', revision, rejection: { reason: 'duplicateKey', key: twice } };
    const chosen = stepsOf(command, view.states[revision] as State);
    const rejection = this.#refusalOf(chosen, view);
    if (rejection !== null) return { kind: 'rejected', revision, rejection };
    const draft = new Draft(view);
    const results = chosen.steps.map((step) => draft.do(step));
    if (view === this) this.#keep(draft.keys);
    return { kind: 'txn', revision: view.revision, succeeded: chosen.succeeded, results };
  }

  #refusalOf(step: Step, view: View): Rejection | null {
    if (step.kind === 'delete') return null;
    if (step.kind === 'range') return refusalOf(step.revision, view);
    if (step.kind === 'txn') {
      for (const each of step.steps) {
        const found = this.#refusalOf(each, view);
        if (found !== null) return found;
      }
      return null;
    }
    return this.#refusalOfPut(step, view);
  }

  #refusalOfPut({ key, value, lease }: Extract<Step, { kind: 'put' }>, view: View): Rejection | null {
    const isKept = value === null || lease === null;
    if (isKept && view.states[view.revision]?.has(key) !== true) return { reason: 'keyNotFound', key };
    const isKnown = lease === null || lease === 0 || this.leases.has(lease);
    return isKnown ? null : { reason: 'leaseNotFound', lease };
  }

  #grant(ttlMs: number, wanted: LeaseId): CommandResult {
    if (this.leases.has(wanted)) return this.#rejected({ reason: 'leaseExists', lease: wanted });
    let lease = wanted;
    if (wanted === 0) for (lease = this.#lastLease + 1; this.leases.has(lease);) lease += 1;
    if (lease <= drawnLeaseMax) this.#lastLease = Math.max(this.#lastLease, lease);
    if (wanted !== 0) this.#wantedGrants += 1;
    this.#grants.set(lease, wanted === 0 ? 0 : this.#wantedGrants);
    this.leases.set(lease, ttlMs);
    return { kind: 'leaseGranted', revision: this.revision, lease };
  }

  #end(leases: readonly LeaseId[]): CommandResult {
    const ended = leases.filter((lease) => this.leases.delete(lease));
    const present = this.states[this.revision] as State;
    this.#keep(new Map([...present].filter(([, { lease }]) => !ended.includes(lease))));
    return { kind: 'leasesEnded', revision: this.revision, leases: ended };
  }

  #compact(revision: StoreRevision): CommandResult {
    if (revision > this.revision)
      return this.#rejected({ reason: 'futureRevision', revision: this.revision });
    if (revision <= this.compacted)
      return this.#rejected({ reason: 'compacted', compactedRevision: this.compacted });
    this.compacted = revision;
    return { kind: 'compacted', revision: this.revision };
  }

  /** What changes nothing makes no revision. */
  #keep(next: State): void {
    const before = this.states[this.revision] as State;
    const events: WatchEvent[] = [];
    for (const [key, item] of next) {
      const previous = before.get(key) ?? null;
      if (previous !== item) events.push({ kind: 'put', item, previous });
    }
    for (const [key, previous] of before) {
      if (!next.has(key)) events.push({ kind: 'delete', item: deleted(key, this.revision + 1), previous });
    }
    if (events.length === 0) return;
    this.events.push(events.sort((a, b) => byKey(a.item, b.item)));
    this.states.push(next);
  }

  #rejected(rejection: Rejection): CommandResult {
    return { kind: 'rejected', revision: this.revision, rejection };
  }
}

function deleted(key: string, modRevision: StoreRevision): KeyValue {
  return { key, value: new Uint8Array(0), createRevision: 0, modRevision, version: 0, lease: 0 };
}
