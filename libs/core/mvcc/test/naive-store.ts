/**
 * The store the obvious way: a full copy of all keys for every revision. It shares nothing with the real one but the shapes
 * of questions and answers.
 */
import type {
  Branches,
  Command,
  CommandResult,
  Compare,
  KeyValue,
  Operation,
  OperationResult,
  RangeResult,
  ReadOptions,
  Rejection,
} from '../src/commands.js';
import type { KeyRange } from '../src/key-range.js';
import type { WatchEvent, WatchQuery } from '../src/watch.js';

export const TERM = 3;
const OVERHEAD = 256;

export type State = ReadonlyMap<string, KeyValue>;
type Txn = Branches & { readonly kind: 'txn' };
type Step = Exclude<Operation, Txn> | { kind: 'txn'; succeeded: boolean; steps: Step[] };

/** Keys are ordered as their bytes are. */
export const order = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function isWithin({ key: first, rangeEnd }: KeyRange, key: string): boolean {
  if (rangeEnd === null) return order(key, first) === 0;
  return order(key, first) >= 0 && (rangeEnd === '' || order(key, rangeEnd) < 0);
}

const within = (state: State, range: KeyRange): KeyValue[] =>
  [...state.values()].filter(({ key }) => isWithin(range, key)).sort((x, y) => order(x.key, y.key));

/** What an operation, whichever of its branches is taken, may put and delete. */
function mayWrite(operation: Operation): { puts: string[]; deletions: KeyRange[] } {
  if (operation.kind === 'put') return { puts: [operation.key], deletions: [] };
  if (operation.kind === 'delete') return { puts: [], deletions: [operation] };
  if (operation.kind === 'range') return { puts: [], deletions: [] };
  const all = [...operation.success, ...operation.failure].map(mayWrite);
  return { puts: all.flatMap(({ puts }) => puts), deletions: all.flatMap(({ deletions }) => deletions) };
}

/** Every key that might be changed twice. */
function changedTwice(operations: readonly Operation[]): string[] {
  const written = operations.map(mayWrite);
  const here = written.flatMap(({ puts }, i) =>
    puts.filter((key) =>
      written.some(
        (other, j) =>
          j !== i && (other.puts.includes(key) || other.deletions.some((range) => isWithin(range, key))),
      ),
    ),
  );
  const below = operations.flatMap((operation) =>
    operation.kind === 'txn' ? [...changedTwice(operation.success), ...changedTwice(operation.failure)] : [],
  );
  return [...here, ...below];
}

function fieldOrder(sortBy: ReadOptions['sortBy']): (a: KeyValue, b: KeyValue) => number {
  if (sortBy === 'key') return (a, b) => order(a.key, b.key);
  if (sortBy === 'value') return (a, b) => Buffer.compare(a.value, b.value);
  return (a, b) => a[sortBy] - b[sortBy];
}

export function listOf(state: State, range: KeyRange, options: ReadOptions): RangeResult {
  const all = within(state, range);
  if (options.countOnly) return { items: [], count: all.length, more: false };
  const sign = options.isDescending ? -1 : 1;
  const compare = fieldOrder(options.sortBy);
  const found = all
    .filter(({ modRevision: mod, createRevision: create }) => {
      const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = options;
      if (mod < minModRevision || create < minCreateRevision) return false;
      return (
        (maxModRevision === 0 || mod <= maxModRevision) &&
        (maxCreateRevision === 0 || create <= maxCreateRevision)
      );
    })
    .sort((a, b) => sign * compare(a, b));
  const cut = options.limit === 0 ? found : found.slice(0, options.limit);
  const items = options.keysOnly ? cut.map((item) => ({ ...item, value: new Uint8Array() })) : cut;
  return { items, count: all.length, more: cut.length < found.length };
}

/** All states there ever were, by revision. */
export class NaiveStore {
  readonly states = new Map<number, State>([[0, new Map<string, KeyValue>()]]);
  readonly leases = new Map<number, number>();
  lastLease = 0;
  wantedGrants = 0;
  /** By lease: the how-manieth of those that were wanted. */
  readonly grants = new Map<number, number>();
  revision = 0;
  compacted = 0;
  limit = { sizeBytesMax: 0, exemptPrefix: '' };

  get now(): State {
    return this.states.get(this.revision) as State;
  }

  apply(command: Command): CommandResult {
    const { revision } = this;
    switch (command.kind) {
      case 'txn':
        return this.#txn(command);
      case 'leaseGrant':
        return this.#grant(command.ttlMs, command.wanted);
      case 'leaseRevoke':
        return this.leases.has(command.lease)
          ? this.#end([command.lease])
          : this.#rejected({ reason: 'leaseNotFound', lease: command.lease });
      case 'leaseExpire':
        return command.term === TERM
          ? this.#end(command.leases.filter((lease) => (this.grants.get(lease) ?? 0) <= command.asOf))
          : this.#rejected({ reason: 'staleTerm', term: TERM });
      case 'compact':
        if (command.revision > revision) return this.#rejected({ reason: 'futureRevision', revision });
        if (command.revision <= this.compacted) return this.#rejected(this.#compactedRejection());
        this.compacted = command.revision;
        return { kind: 'compacted', revision };
      case 'limitSize':
        this.limit = { sizeBytesMax: command.sizeBytesMax, exemptPrefix: command.exemptPrefix };
        return { kind: 'sizeLimited', revision, ...this.limit };
    }
  }

  jumpTo(revision: number): void {
    this.states.set(revision, this.now);
    this.lastLease += revision - this.revision;
    this.revision = revision;
    this.compacted = revision;
  }

  events(query: Omit<WatchQuery, 'from' | 'eventsMax' | 'sizeBytesMax'>, from: number): WatchEvent[] {
    const events: WatchEvent[] = [];
    for (let revision = from; revision <= this.revision; revision++) {
      const before = this.states.get(revision - 1) as State;
      const after = this.states.get(revision) as State;
      const changed = [...new Set([...before.keys(), ...after.keys()])]
        .filter((key) => isWithin(query, key) && before.get(key) !== after.get(key))
        .filter((key) => (after.has(key) ? query.noPuts !== true : query.noDeletes !== true))
        .sort(order);
      for (const key of changed) {
        const previous = (query.wantsPrevious === true ? before.get(key) : null) ?? null;
        events.push({ ...eventOf(key, after.get(key), revision), previous });
      }
    }
    return events;
  }

  get sizeBytes(): number {
    const all = { key: '', rangeEnd: '' };
    const items = [
      ...(this.states.get(this.compacted) as State).values(),
      ...this.events(all, this.compacted + 1).map(({ item }) => item),
    ];
    const size = items.reduce((sum, { key, value }) => sum + Buffer.byteLength(key) + value.length, 0);
    return size + OVERHEAD * (items.length + this.leases.size);
  }

  #txn(command: Txn): CommandResult {
    const twice = [...changedTwice(command.success), ...changedTwice(command.failure)];
    if (twice.length > 0) return this.#rejected({ reason: 'duplicateKey', key: JSON.stringify(twice) });
    const chosen = this.#choose(command);
    const refused = this.#refusal(chosen.steps);
    if (refused !== null) return this.#rejected(refused);
    const added = this.#added(chosen.steps);
    if (added > 0 && this.#isFullWith(added)) {
      const { sizeBytes, limit } = this;
      return this.#rejected({ reason: 'storeFull', sizeBytes, sizeBytesMax: limit.sizeBytesMax });
    }
    const next = new Map(this.now);
    const results = chosen.steps.map((step) => this.#execute(next, step));
    this.#keep(next);
    return { kind: 'txn', revision: this.revision, succeeded: chosen.succeeded, results };
  }

  #choose({ compare, success, failure }: Branches): Extract<Step, { kind: 'txn' }> {
    const succeeded = compare.every((one) => this.#holds(one));
    const steps = (succeeded ? success : failure).map((operation) =>
      operation.kind === 'txn' ? this.#choose(operation) : operation,
    );
    return { kind: 'txn', succeeded, steps };
  }

  #holds(compare: Compare): boolean {
    const items = within(this.now, compare);
    const { target, result, operand } = compare;
    if (items.length === 0 && target === 'value') return false;
    const none = { version: 0, createRevision: 0, modRevision: 0, lease: 0 };
    return (items.length === 0 ? [none] : items).every((item) => {
      const sign =
        target === 'value' ? Buffer.compare((item as KeyValue).value, operand) : item[target] - operand;
      return { equal: sign === 0, notEqual: sign !== 0, greater: sign > 0, less: sign < 0 }[result];
    });
  }

  #refusal(steps: readonly Step[]): Rejection | null {
    for (const step of steps) {
      const refused = step.kind === 'txn' ? this.#refusal(step.steps) : this.#refusalOfOne(step);
      if (refused !== null) return refused;
    }
    return null;
  }

  #refusalOfOne(step: Exclude<Step, { kind: 'txn' }>): Rejection | null {
    if (step.kind === 'put') return this.#refusalOfPut(step.key, step.value, step.lease);
    if (step.kind !== 'range' || step.revision === 0) return null;
    const { revision } = this;
    if (step.revision > revision) return { reason: 'futureRevision', revision };
    return step.revision < this.compacted ? this.#compactedRejection() : null;
  }

  #refusalOfPut(key: string, value: Uint8Array | null, lease: number | null): Rejection | null {
    if ((value === null || lease === null) && !this.now.has(key)) return { reason: 'keyNotFound', key };
    const isKnown = lease === null || lease === 0 || this.leases.has(lease);
    return isKnown ? null : { reason: 'leaseNotFound', lease };
  }

  #added(steps: readonly Step[]): number {
    return steps.reduce((sum, step) => {
      if (step.kind === 'txn') return sum + this.#added(step.steps);
      if (step.kind !== 'put') return sum;
      const { exemptPrefix } = this.limit;
      if (exemptPrefix !== '' && step.key.startsWith(exemptPrefix)) return sum;
      const value = step.value ?? (this.now.get(step.key) as KeyValue).value;
      return sum + Buffer.byteLength(step.key) + value.length + OVERHEAD;
    }, 0);
  }

  #execute(state: Map<string, KeyValue>, step: Step): OperationResult {
    if (step.kind === 'txn') {
      const { succeeded, steps } = step;
      return { kind: 'txn', succeeded, results: steps.map((each) => this.#execute(state, each)) };
    }
    if (step.kind === 'range') {
      const readAt = step.revision === 0 ? state : (this.states.get(step.revision) as State);
      return { kind: 'range', ...listOf(readAt, step, step) };
    }
    if (step.kind === 'delete') {
      const items = within(state, step);
      for (const { key } of items) state.delete(key);
      return {
        kind: 'delete',
        deleted: items.length,
        previous: step.wantsPrevious ? items : [],
        more: false,
      };
    }
    return this.#put(state, step);
  }

  #put(state: Map<string, KeyValue>, step: Extract<Step, { kind: 'put' }>): OperationResult {
    const { key } = step;
    const modRevision = this.revision + 1;
    const old = state.get(key) ?? null;
    const value = step.value ?? old!.value;
    const lease = step.lease ?? old!.lease;
    const { createRevision, version } = old ?? { createRevision: modRevision, version: 0 };
    state.set(key, { key, value, lease, createRevision, modRevision, version: version + 1 });
    return { kind: 'put', previous: step.wantsPrevious ? old : null, more: false };
  }

  #grant(ttlMs: number, wanted: number): CommandResult {
    if (this.leases.has(wanted)) return this.#rejected({ reason: 'leaseExists', lease: wanted });
    const sizeBytesMax = Math.floor(this.limit.sizeBytesMax / 8);
    const sizeBytes = OVERHEAD * this.leases.size;
    if (this.limit.sizeBytesMax > 0 && sizeBytes + OVERHEAD > sizeBytesMax)
      return this.#rejected({ reason: 'leasesFull', sizeBytes, sizeBytesMax });
    let lease = wanted;
    if (lease === 0) for (lease = this.lastLease + 1; this.leases.has(lease); lease++);
    if (lease <= 2 ** 52) this.lastLease = Math.max(this.lastLease, lease);
    if (wanted !== 0) this.wantedGrants += 1;
    this.grants.set(lease, wanted === 0 ? 0 : this.wantedGrants);
    this.leases.set(lease, ttlMs);
    return { kind: 'leaseGranted', revision: this.revision, lease };
  }

  #end(leases: readonly number[]): CommandResult {
    const ended = leases.filter((lease) => this.leases.delete(lease));
    this.#keep(new Map([...this.now].filter(([, { lease }]) => !ended.includes(lease))));
    return { kind: 'leasesEnded', revision: this.revision, leases: ended };
  }

  #keep(next: State): void {
    const isSame =
      next.size === this.now.size && [...next].every(([key, item]) => this.now.get(key) === item);
    if (isSame) return;
    this.revision += 1;
    this.states.set(this.revision, next);
  }

  #isFullWith(added: number): boolean {
    const { sizeBytesMax } = this.limit;
    return sizeBytesMax > 0 && this.sizeBytes + added > sizeBytesMax;
  }

  #compactedRejection(): Rejection {
    return { reason: 'compacted', compactedRevision: this.compacted };
  }

  #rejected(rejection: Rejection): CommandResult {
    return { kind: 'rejected', revision: this.revision, rejection };
  }
}

function eventOf(
  key: string,
  item: KeyValue | undefined,
  revision: number,
): Pick<WatchEvent, 'kind' | 'item'> {
  if (item !== undefined) return { kind: 'put', item };
  const gone = { key, createRevision: 0, modRevision: revision, version: 0, lease: 0 };
  return { kind: 'delete', item: { ...gone, value: new Uint8Array() } };
}
