/**
 * What the clients of a coordinator do, on ten keys that all of them want: puts, ranges, transactions, deletions, leases and
 * compactions. They compare with what they have seen, so that comparisons hold often, and ask for revisions that are gone or
 * still to come now and then.
 */
import {
  COMPARE_RESULTS,
  type Command,
  type Compare,
  type DeleteOperation,
  isReadOnly,
  type KeyRange,
  type KeyValue,
  type LeaseId,
  NUMERIC_TARGETS,
  type Operation,
  plainRead,
  type PutOperation,
  type ReadOptions,
  SORT_FIELDS,
  type TxnCommand,
} from '@ringleader/mvcc';
import type { Prng } from '@ringleader/primitives';
import type { ClientOperation, MemberAnswer } from '../sim-messages.js';

export const hotKeys: readonly string[] = Array.from({ length: 10 }, (_, i) => `h${String(i)}`);

const encoder = new TextEncoder();
/** Below and above those that the store draws. */
const wantedLeases: readonly LeaseId[] = [3, 7, 2 ** 52 + 1, 2 ** 53 - 1];
const leasesRemembered = 4;
const depthMax = 2;

export interface WorkloadSettings {
  /** How long leases live at least, and how much longer at most. */
  readonly ttlMinMs: number;
  readonly ttlSpreadMs: number;
  /** As many beside 36 others are renewals. */
  readonly renewals: number;
  /** And as many revoke leases with wanted ids, or grant one again. */
  readonly namesakes: number;
}

export class Workload {
  readonly #prng: Prng;
  readonly #settings: WorkloadSettings;
  readonly #seen = new Map<string, KeyValue>();
  #leases: LeaseId[] = [];
  #revision = 0;
  #values = 0;

  constructor(prng: Prng, settings: WorkloadSettings) {
    this.#prng = prng;
    this.#settings = settings;
  }

  draw(): ClientOperation {
    const kind = this.#prng.nextBelow(36 + this.#settings.renewals + this.#settings.namesakes);
    if (kind < 9) return written(this.#put());
    if (kind < 18) return { op: 'range', query: { ...this.range(), ...this.#readOptions() } };
    if (kind < 28) return this.#transaction();
    if (kind < 31) return written(this.#delete());
    if (kind < 33) return { op: 'command', command: this.#grant() };
    if (kind < 34) return { op: 'command', command: { kind: 'leaseRevoke', lease: this.#lease() } };
    if (kind >= 36 + this.#settings.renewals) return { op: 'command', command: this.#namesake() };
    if (kind >= 36) return { op: 'keepAlive', lease: this.#lease() };
    return { op: 'command', command: { kind: 'compact', revision: this.#revisionToCompact() } };
  }

  learn(answer: MemberAnswer): void {
    if (answer.kind === 'range') {
      this.#revision = Math.max(this.#revision, answer.revision);
      if (answer.outcome.kind === 'range')
        for (const item of answer.outcome.items) this.#seen.set(item.key, item);
    }
    if (answer.kind !== 'result') return;
    const { result } = answer;
    this.#revision = Math.max(this.#revision, result.revision);
    if (result.kind === 'leaseGranted')
      this.#leases = [...this.#leases, result.lease].slice(-leasesRemembered);
  }

  /** One key, some, or all. */
  range(): KeyRange {
    const draw = this.#prng.nextBelow(4);
    if (draw === 0) return { key: '', rangeEnd: '' };
    const key = this.#pick(hotKeys);
    return { key, rangeEnd: draw === 1 ? null : `${key.slice(0, 1)}${String(this.#prng.nextBelow(11))}` };
  }

  #transaction(): ClientOperation {
    const command: TxnCommand = { kind: 'txn', ...this.#branches(depthMax) };
    return isReadOnly(command) ? { op: 'evaluate', command } : { op: 'command', command };
  }

  #branches(depth: number): Pick<TxnCommand, 'compare' | 'success' | 'failure'> {
    const some = <T>(max: number, draw: () => T): T[] =>
      Array.from({ length: this.#prng.nextBelow(max + 1) }, draw);
    return {
      compare: some(2, () => this.#compare()),
      success: [this.#operation(depth), ...some(2, () => this.#operation(depth))],
      failure: some(2, () => this.#operation(depth)),
    };
  }

  #operation(depth: number): Operation {
    const draw = this.#prng.nextBelow(8);
    if (draw < 3) return this.#put();
    if (draw < 6) return { kind: 'range', ...this.range(), ...this.#readOptions() };
    if (draw === 6 || depth === 0) return this.#delete();
    return { kind: 'txn', ...this.#branches(depth - 1) };
  }

  #put(): PutOperation {
    this.#values += 1;
    const value = this.#isOneIn(12) ? null : encoder.encode(String(this.#values));
    const lease = this.#isOneIn(12) ? null : this.#isOneIn(3) ? this.#lease() : 0;
    return { kind: 'put', key: this.#pick(hotKeys), value, lease, wantsPrevious: this.#isOneIn(2) };
  }

  #delete(): DeleteOperation {
    const at = this.#prng.nextBelow(hotKeys.length);
    const rangeEnd = this.#isOneIn(2) ? null : `h${String(at + 1 + this.#prng.nextBelow(2))}`;
    return { kind: 'delete', key: hotKeys[at] as string, rangeEnd, wantsPrevious: this.#isOneIn(2) };
  }

  #compare(): Compare {
    const item = this.#isOneIn(4) ? undefined : this.#seen.get(this.#pick([...this.#seen.keys(), '']));
    const range: KeyRange = item === undefined ? this.range() : { key: item.key, rangeEnd: null };
    const result = this.#isOneIn(2) ? 'equal' : this.#pick(COMPARE_RESULTS);
    const target = this.#pick([...NUMERIC_TARGETS, 'value'] as const);
    if (target === 'value')
      return { ...range, result, target, operand: item?.value ?? encoder.encode(String(this.#values)) };
    return { ...range, result, target, operand: item?.[target] ?? this.#prng.nextBelow(this.#revision + 2) };
  }

  #readOptions(): ReadOptions {
    const revision = this.#isOneIn(3) ? this.#revisionToRead() : 0;
    if (!this.#isOneIn(3)) return { ...plainRead, revision };
    return {
      ...plainRead,
      revision,
      limit: this.#prng.nextBelow(4),
      sortBy: this.#pick(SORT_FIELDS),
      isDescending: this.#isOneIn(2),
      keysOnly: this.#isOneIn(5),
      countOnly: this.#isOneIn(5),
      minModRevision: this.#isOneIn(3) ? Math.max(0, this.#revision - this.#prng.nextBelow(10)) : 0,
      maxCreateRevision: this.#isOneIn(3) ? Math.max(0, this.#revision - this.#prng.nextBelow(10)) : 0,
    };
  }

  #grant(): Extract<Command, { kind: 'leaseGrant' }> {
    const { ttlMinMs, ttlSpreadMs } = this.#settings;
    const ttlMs = ttlMinMs + this.#prng.nextBelow(ttlSpreadMs + 1);
    return { kind: 'leaseGrant', ttlMs, wanted: this.#isOneIn(2) ? this.#pick(wantedLeases) : 0 };
  }

  #namesake(): Command {
    const wanted = this.#pick(wantedLeases);
    return this.#isOneIn(2) ? { kind: 'leaseRevoke', lease: wanted } : { ...this.#grant(), wanted };
  }

  #lease(): LeaseId {
    return this.#isOneIn(10) ? 1 + this.#prng.nextBelow(20) : this.#pick([...this.#leases, 1]);
  }

  /** Of those around the ones that are kept; seldom one that nobody has written yet. */
  #revisionToRead(): number {
    if (this.#isOneIn(12)) return this.#revision + 1 + this.#prng.nextBelow(3);
    return Math.max(0, this.#revision - this.#prng.nextBelow(16));
  }

  #revisionToCompact(): number {
    if (this.#isOneIn(6)) return this.#revision + 1 + this.#prng.nextBelow(5);
    return Math.max(1, this.#revision - this.#prng.nextBelow(12));
  }

  #isOneIn(count: number): boolean {
    return this.#prng.nextBelow(count) === 0;
  }

  #pick<T>(all: readonly T[]): T {
    return all[this.#prng.nextBelow(all.length)] as T;
  }
}

function written(operation: PutOperation | DeleteOperation): ClientOperation {
  return { op: 'command', command: { kind: 'txn', compare: [], success: [operation], failure: [] } };
}
