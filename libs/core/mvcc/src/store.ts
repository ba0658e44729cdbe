/**
 * The coordinator's state machine: the data model of etcd v3. Every change of the store gets the next revision, old
 * states stay readable until they are compacted, transactions compare and then change, keys may hang on leases, and
 * watchers can resume from any revision that is not compacted.
 *
 * Members apply the same commands in the same order and must reach the same bytes (`snapshotOf`), so nothing here
 * depends on anything but the commands before: no clock, no randomness, no iteration over unordered things.
 */
import { invariant, unreachable } from '@ringleader/primitives';
import { ChangeLog } from './change-log.js';
import { LEASES_SHARE, noSizeLimit } from './commands.js';
import type {
  Command,
  CommandResult,
  LeaseId,
  RangeResult,
  Rejection,
  SizeLimit,
  StoreRevision,
  TxnCommand,
} from './commands.js';
import { KeyIndex } from './key-index.js';
import type { KeyRange } from './key-range.js';
import { LEASE_BYTES, LeaseTable } from './lease-table.js';
import type { Lease } from './lease-table.js';
import { readPoint, readRange } from './range.js';
import type { RangeBounds } from './range.js';
import { type StoreRules, soundStoreRules } from './rules.js';
import { hashText } from './state-hash.js';
import { isReadOnly, refusalOf } from './transaction-rules.js';
import { Transaction, assess, choose, revisionRefusal } from './transaction.js';
import { changesOf, watchFrom } from './watch.js';
import type { StoreChange, WatchOutcome, WatchQuery } from './watch.js';

export type RangeQuery = KeyRange & RangeBounds;

/** A revision is asked for that is not kept any more, or that is not there yet; `revision` is the newest. */
export type RevisionOutcome =
  | { readonly kind: 'compacted'; readonly compactedRevision: StoreRevision }
  | { readonly kind: 'futureRevision'; readonly revision: StoreRevision };

export type RangeOutcome =
  ({ readonly kind: 'range'; readonly revision: StoreRevision } & RangeResult) | RevisionOutcome;

export type HashOutcome =
  | {
      readonly kind: 'hash';
      /** 16 hexadecimal digits: of all keys as they were after `revision`. */
      readonly hash: string;
      readonly revision: StoreRevision;
      readonly compactedRevision: StoreRevision;
    }
  | RevisionOutcome;

/** The parts of a store, as a snapshot has them. */
export interface StoreParts {
  readonly index: KeyIndex;
  readonly log: ChangeLog;
  readonly leases: LeaseTable;
  readonly sizeLimit: SizeLimit;
}

export class MvccStore {
  readonly #index: KeyIndex;
  readonly #log: ChangeLog;
  readonly #leases: LeaseTable;
  #sizeLimit: SizeLimit;

  constructor(
    parts?: StoreParts,
    private readonly rules: StoreRules = soundStoreRules,
  ) {
    this.#index = parts?.index ?? new KeyIndex();
    this.#log = parts?.log ?? new ChangeLog(0);
    this.#leases = parts?.leases ?? new LeaseTable();
    this.#sizeLimit = parts?.sizeLimit ?? noSizeLimit;
  }

  get parts(): StoreParts {
    return { index: this.#index, log: this.#log, leases: this.#leases, sizeLimit: this.#sizeLimit };
  }

  get revision(): StoreRevision {
    return this.#log.newest;
  }

  /** Reads at this revision and watches from the next one are the oldest possible. */
  get compactedRevision(): StoreRevision {
    return this.#log.compacted;
  }

  /** Of all that is kept, history included: keys and values, and 256 bytes for each state and each lease, which is about what it takes in memory. */
  get sizeBytes(): number {
    return this.#index.sizeBytes + this.#leases.sizeBytes;
  }

  get sizeLimit(): SizeLimit {
    return this.#sizeLimit;
  }

  /** Keys that have a state, deleted ones included. */
  get keyCount(): number {
    return this.#index.size;
  }

  get leaseCount(): number {
    return this.#leases.size;
  }

  /** How many leases were granted under ids that were wanted: names a moment, for `leaseExpire`. */
  get wantedGrants(): number {
    return this.#leases.wantedGrants;
  }

  /** In ascending order of their ids. */
  listLeases(): Lease[] {
    return this.#leases.list();
  }

  lease(lease: LeaseId): Lease | undefined {
    return this.#leases.get(lease);
  }

  /** The keys that end with the lease, in order. */
  leaseKeys(lease: LeaseId): readonly string[] {
    return this.#leases.keys(lease);
  }

  leaseKeyCount(lease: LeaseId): number {
    return this.#leases.keyCount(lease);
  }

  /** `term` is that of the log entry which carries the command. */
  apply(command: Command, term: number): CommandResult {
    switch (command.kind) {
      case 'txn':
        return this.#applyTxn(command);
      case 'leaseGrant':
        return this.#grant(command.ttlMs, command.wanted);
      case 'leaseRevoke':
        if (!this.#leases.has(command.lease))
          return this.#rejected({ reason: 'leaseNotFound', lease: command.lease });
        return this.#endLeases([command.lease], this.wantedGrants);
      case 'leaseExpire':
        if (!this.rules.mayExpire(command.term, term)) return this.#rejected({ reason: 'staleTerm', term });
        return this.#endLeases(command.leases, command.asOf);
      case 'compact':
        return this.#applyCompact(command.revision);
      case 'limitSize':
        this.#sizeLimit = { sizeBytesMax: command.sizeBytesMax, exemptPrefix: command.exemptPrefix };
        return { kind: 'sizeLimited', revision: this.revision, ...this.#sizeLimit };
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
    const revision = query.revision === 0 ? this.revision : query.revision;
    const refused = this.#outOfReach(revision);
    if (refused !== null) return refused;
    return { kind: 'range', revision, ...readRange(this.#index, query, readPoint(this.#log, revision)) };
  }

  watch(query: WatchQuery): WatchOutcome {
    return watchFrom(query, this.#log, this.#index, this.rules);
  }

  /** What a revision changed; nothing where it is not kept. */
  changesAt(revision: StoreRevision): StoreChange[] {
    return changesOf(revision, this.#log, this.#index);
  }

  /**
   * The same at every member that has applied the same commands, for every revision that both keep, however they came
   * there. 0 is "now".
   */
  hash(revision: StoreRevision = 0): HashOutcome {
    const asked = revision === 0 ? this.revision : revision;
    const { compactedRevision } = this;
    return (
      this.#outOfReach(asked) ?? {
        kind: 'hash',
        hash: hashText(this.#log.hashAt(asked)),
        revision: asked,
        compactedRevision,
      }
    );
  }

  get presentHash(): string {
    return hashText(this.#log.hashAt(this.revision));
  }

  /** Of the revisions behind the compacted one. */
  get eventCount(): number {
    return this.#log.eventCount;
  }

  /** What to name in the next `compact` command so that about `eventsMin` events stay, or null if that is not due. */
  compactionTarget(bounds: { readonly eventsMin: number; readonly eventsMax: number }): StoreRevision | null {
    return this.#log.eventCount > bounds.eventsMax ? this.#log.compactionTarget(bounds.eventsMin) : null;
  }

  /**
   * What to name in the next `compact` command on the way to `target`, so that it forgets no more than so many events, or one
   * revision: what commands do one after the other is what one of them does, and none takes long.
   */
  compactionStep(target: StoreRevision, eventsMax: number): StoreRevision {
    return this.#log.compactionStep(target, eventsMax);
  }

  /**
   * For a store that goes on from a snapshot although more may have happened after it: with a revision beyond all that
   * anybody can have seen. All before counts as compacted, so that whoever watched is told that there is a gap. Ids of
   * leases go forward by as much.
   */
  jumpTo(revision: StoreRevision): void {
    invariant(revision > this.revision, 'revisions go forward');
    if (this.revision > this.compactedRevision) this.#compact(this.revision);
    this.#leases.skip(revision - this.revision);
    this.#log.jumpTo(revision);
  }

  #applyTxn(command: TxnCommand): CommandResult {
    const refused = refusalOf(command);
    if (refused !== null) return this.#rejected(refused);
    const chosen = choose(command, this.#index);
    const assessed = assess(chosen, this.#ground);
    if ('reason' in assessed) return this.#rejected(assessed);
    if (this.#isFullWith(assessed.addedBytes)) {
      const { sizeBytes, sizeLimit } = this;
      return this.#rejected({ reason: 'storeFull', sizeBytes, sizeBytesMax: sizeLimit.sizeBytesMax });
    }
    const transaction = this.#begin();
    const results = chosen.steps.map((step) => transaction.execute(step));
    this.#commit(transaction);
    return { kind: 'txn', revision: this.revision, succeeded: chosen.succeeded, results };
  }

  #grant(ttlMs: number, wanted: LeaseId): CommandResult {
    if (this.#leases.has(wanted)) return this.#rejected({ reason: 'leaseExists', lease: wanted });
    const { sizeBytes } = this.#leases;
    const sizeBytesMax = Math.floor(this.#sizeLimit.sizeBytesMax * LEASES_SHARE);
    if (this.#sizeLimit.sizeBytesMax > 0 && sizeBytes + LEASE_BYTES > sizeBytesMax)
      return this.#rejected({ reason: 'leasesFull', sizeBytes, sizeBytesMax });
    return { kind: 'leaseGranted', lease: this.#leases.grant(ttlMs, wanted), revision: this.revision };
  }

  /** The keys of all of them disappear at one revision. */
  #endLeases(leases: readonly LeaseId[], asOf: number): CommandResult {
    const transaction = this.#begin();
    const ended: LeaseId[] = [];
    for (const lease of leases) {
      const keys = this.#leases.end(lease, asOf);
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
    const { compactedRevision } = this;
    if (revision <= compactedRevision) return this.#rejected({ reason: 'compacted', compactedRevision });
    this.#compact(revision);
    return { kind: 'compacted', revision: this.revision };
  }

  #compact(revision: StoreRevision): void {
    this.#index.compact(this.#log.compact(revision), revision);
  }

  get #ground(): Parameters<typeof assess>[1] {
    return {
      index: this.#index,
      leases: this.#leases,
      revision: this.revision,
      compacted: this.compactedRevision,
      exemptPrefix: this.#sizeLimit.exemptPrefix,
    };
  }

  /** What only deletes is never refused: it is the way out. */
  #isFullWith(addedBytes: number): boolean {
    const { sizeBytesMax } = this.#sizeLimit;
    return addedBytes > 0 && sizeBytesMax > 0 && this.sizeBytes + addedBytes > sizeBytesMax;
  }

  #outOfReach(revision: StoreRevision): RevisionOutcome | null {
    const refused = revisionRefusal(revision, { revision: this.revision, compacted: this.compactedRevision });
    if (refused === null) return null;
    return refused.reason === 'compacted'
      ? { kind: 'compacted', compactedRevision: refused.compactedRevision }
      : { kind: 'futureRevision', revision: refused.revision };
  }

  #begin(): Transaction {
    return new Transaction(this.#index, this.#leases, this.#log);
  }

  /** A command that changed nothing takes no revision. */
  #commit(transaction: Transaction): void {
    if (transaction.changes.length > 0) this.#log.append(this.revision + 1, transaction.changes);
  }

  #rejected(rejection: Rejection): CommandResult {
    return { kind: 'rejected', revision: this.revision, rejection };
  }
}
