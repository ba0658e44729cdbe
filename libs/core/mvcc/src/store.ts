/**
 * The coordinator's state machine: the data model of etcd v3. Every change of the store gets the next revision, old
 * states stay readable until they are compacted, transactions compare and then change, keys may hang on leases, and
 * watchers can resume from any revision that is not compacted.
 *
 * Members apply the same commands in the same order and must reach the same bytes (`encodeSnapshot`), so nothing here
 * depends on anything but the commands before: no clock, no randomness, no iteration over unordered things.
 */
import { invariant, unreachable } from '@ringleader/primitives';
import { ChangeLog } from './change-log.js';
import type { WatchEvent } from './change-log.js';
import type {
  Command,
  CommandResult,
  LeaseId,
  RangeResult,
  Rejection,
  StoreRevision,
  TxnCommand,
} from './commands.js';
import { KeyIndex } from './key-index.js';
import { type KeyRange, rangeContains } from './key-range.js';
import { LeaseTable } from './lease-table.js';
import type { Lease } from './lease-table.js';
import { collectRange } from './range.js';
import type { RangeBounds } from './range.js';
import { Transaction, compareHolds, isReadOnly, rejectionOf } from './transaction.js';

export interface RangeQuery extends KeyRange, RangeBounds {
  /** The store as it was right after this revision; 0 is "now". */
  readonly revision: StoreRevision;
}

export type RangeOutcome =
  | ({ readonly kind: 'range'; readonly revision: StoreRevision } & RangeResult)
  | { readonly kind: 'compacted'; readonly compactedRevision: StoreRevision }
  | { readonly kind: 'futureRevision'; readonly revision: StoreRevision };

/** Where a watcher stands: the first revision it has not seen, and how many of its events there it has seen. */
export interface WatchPosition {
  readonly revision: StoreRevision;
  readonly skip: number;
}

export interface WatchQuery extends KeyRange {
  readonly from: WatchPosition;
  readonly eventsMax: number;
  /** As for ranges: of keys and values, in UTF-16 units. */
  readonly lengthMax: number;
}

export type WatchOutcome =
  | { readonly kind: 'events'; readonly events: readonly WatchEvent[]; readonly next: WatchPosition }
  | { readonly kind: 'compacted'; readonly compactedRevision: StoreRevision };

/** The parts of a store, as a snapshot has them. */
export interface StoreParts {
  readonly index: KeyIndex;
  readonly log: ChangeLog;
  readonly leases: LeaseTable;
}

export class MvccStore {
  readonly #index: KeyIndex;
  readonly #log: ChangeLog;
  readonly #leases: LeaseTable;

  constructor(
    parts: StoreParts = { index: new KeyIndex(), log: new ChangeLog(0), leases: new LeaseTable() },
  ) {
    this.#index = parts.index;
    this.#log = parts.log;
    this.#leases = parts.leases;
  }

  get parts(): StoreParts {
    return { index: this.#index, log: this.#log, leases: this.#leases };
  }

  get revision(): StoreRevision {
    return this.#log.newest;
  }

  /** Reads at this revision and watches from the next one are the oldest possible. */
  get compactedRevision(): StoreRevision {
    return this.#log.compacted;
  }

  get leaseCount(): number {
    return this.#leases.size;
  }

  /** In ascending order of their ids. */
  listLeases(): Lease[] {
    return this.#leases.list();
  }

  lease(lease: LeaseId): Lease | undefined {
    return this.#leases.get(lease);
  }

  /** The keys that end with the lease. */
  leaseKeys(lease: LeaseId): readonly string[] {
    return this.#leases.keys(lease);
  }

  /** `term` is that of the log entry which carries the command. */
  apply(command: Command, term: number): CommandResult {
    switch (command.kind) {
      case 'txn':
        return this.#applyTxn(command);
      case 'leaseGrant':
        return { kind: 'leaseGranted', lease: this.#leases.grant(command.ttlMs), revision: this.revision };
      case 'leaseRevoke':
        if (!this.#leases.has(command.lease))
          return this.#rejected({ reason: 'leaseNotFound', lease: command.lease });
        return this.#endLeases([command.lease]);
      case 'leaseExpire':
        if (command.term !== term) return this.#rejected({ reason: 'staleTerm', term });
        return this.#endLeases(command.leases);
      case 'compact':
        return this.#applyCompact(command.revision);
      default:
        return unreachable(command, 'command');
    }
  }

  /** A transaction that changes nothing, answered from the present state: it takes no part in the log. */
  evaluate(command: TxnCommand): CommandResult {
    invariant(isReadOnly(command), 'only what changes nothing may go past the log');
    return this.#applyTxn(command);
  }

  range(query: RangeQuery): RangeOutcome {
    if (query.revision > this.revision) return { kind: 'futureRevision', revision: this.revision };
    const revision = query.revision === 0 ? this.revision : query.revision;
    if (revision < this.compactedRevision)
      return { kind: 'compacted', compactedRevision: this.compactedRevision };
    return { kind: 'range', revision, ...collectRange(this.#index.liveWithin(query, revision), query) };
  }

  /** Events from `from` on, in order, up to the bounds; `next` is where to go on. Empty if nothing has happened yet. */
  watch(query: WatchQuery): WatchOutcome {
    if (query.from.revision <= this.compactedRevision) {
      return { kind: 'compacted', compactedRevision: this.compactedRevision };
    }
    const events: WatchEvent[] = [];
    let length = 0;
    for (let revision = query.from.revision; revision <= this.revision; revision++) {
      const skip = revision === query.from.revision ? query.from.skip : 0;
      let seen = 0;
      for (const event of this.#log.eventsAt(revision)) {
        if (!rangeContains(query, event.item.key)) continue;
        seen += 1;
        if (seen <= skip) continue;
        length += event.item.key.length + event.item.value.length;
        if (events.length > 0 && (events.length >= query.eventsMax || length > query.lengthMax)) {
          return { kind: 'events', events, next: { revision, skip: seen - 1 } };
        }
        events.push(event);
      }
    }
    return {
      kind: 'events',
      events,
      next: { revision: Math.max(query.from.revision, this.revision + 1), skip: 0 },
    };
  }

  /** What to name in the next `compact` command so that about `eventsMin` events stay, or null if that is not due. */
  compactionTarget(bounds: { readonly eventsMin: number; readonly eventsMax: number }): StoreRevision | null {
    return this.#log.eventCount > bounds.eventsMax ? this.#log.compactionTarget(bounds.eventsMin) : null;
  }

  #applyTxn(command: TxnCommand): CommandResult {
    const succeeded = command.compare.every((compare) => compareHolds(compare, this.#index));
    const operations = succeeded ? command.success : command.failure;
    const rejection = rejectionOf(operations, this.#leases);
    if (rejection !== null) return this.#rejected(rejection);
    const transaction = this.#begin();
    const results = operations.map((operation) => transaction.execute(operation));
    this.#commit(transaction);
    return { kind: 'txn', revision: this.revision, succeeded, results };
  }

  /** The keys of all of them disappear at one revision. */
  #endLeases(leases: readonly LeaseId[]): CommandResult {
    const transaction = this.#begin();
    const ended: LeaseId[] = [];
    for (const lease of leases) {
      const keys = this.#leases.end(lease);
      if (keys === null) continue;
      ended.push(lease);
      for (const key of keys) transaction.deleteLive(key);
    }
    this.#commit(transaction);
    return { kind: 'leasesEnded', revision: this.revision, leases: ended };
  }

  #applyCompact(revision: StoreRevision): CommandResult {
    if (revision > this.revision)
      return this.#rejected({ reason: 'futureRevision', revision: this.revision });
    if (revision > this.compactedRevision) this.#index.compact(this.#log.compact(revision), revision);
    return { kind: 'compacted', revision: this.revision };
  }

  #begin(): Transaction {
    return new Transaction(this.#index, this.#leases, this.revision + 1);
  }

  /** A command that changed nothing takes no revision. */
  #commit(transaction: Transaction): void {
    if (transaction.changes.size > 0) this.#log.append(this.revision + 1, transaction.changes);
  }

  #rejected(rejection: Rejection): CommandResult {
    return { kind: 'rejected', revision: this.revision, rejection };
  }
}
