/**
 * What one member's disk has: batches and snapshots, as the real log keeps them (libs/adapters/log-storage), on a simulated
 * log that loses what was not synced. It outlives the member's processes.
 */
import {
  type Configuration,
  type Entry,
  type HardState,
  type LogIndex,
  type MemberId,
  needsRoom,
  type PersistBatch,
  type Snapshot,
  type StoredState,
  type Term,
} from '@ringleader/raft';
import type { SimulatedLog } from '@ringleader/testing-simulation';
import type { DiskRules } from './disk-rules.js';

export type DiskRecord =
  | { readonly kind: 'batch'; readonly batch: PersistBatch }
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot };

/** `noRoom`: nothing of it was written. `failed`: what was written of it nobody knows. */
export type WriteOutcome = 'written' | 'noRoom' | 'failed';

export interface StartingPoint {
  readonly stored: StoredState;
  readonly snapshot: Snapshot | null;
}

export class MemberDisk {
  /** How often all of it was lost. */
  losses = 0;
  readonly log: SimulatedLog<DiskRecord>;
  /** What survives any crash: for the checks, which look at disks and not at what members say. */
  #durable = new DiskImage();
  #unsynced: DiskRecord[] = [];

  /** It takes only what is small: the reserve of a log is not used up within a run. */
  isFull = false;
  readonly #rules: DiskRules;
  /** Calls back at once, but not within this call. */
  readonly #soon: (run: () => void) => void;
  #isSyncToFail = false;
  #crashes = 0;
  /** What came since it stands still; null while it does not. */
  #waiting: (() => void)[] | null = null;

  constructor(log: SimulatedLog<DiskRecord>, rules: DiskRules, soon: (run: () => void) => void) {
    this.log = log;
    this.#rules = rules;
    this.#soon = soon;
  }

  write(record: DiskRecord, done: (outcome: WriteOutcome) => void): void {
    if (this.#waiting !== null) this.#waiting.push(() => this.write(record, done));
    else if (this.isFull && isLarge(record))
      this.#answerWhenSynced(this.#rules.isTaken(false) ? 'written' : 'noRoom', done);
    else if (this.#isSyncToFail) this.#failToSync(done);
    else this.#write(record, done);
  }

  failNextSync(): void {
    this.#isSyncToFail = true;
  }

  /** Without an error, until it goes on or its process is over. */
  standStill(): void {
    this.#waiting ??= [];
  }

  goOn(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const write of waiting) write();
  }

  get isWritingSnapshot(): boolean {
    return this.#unsynced.some(({ kind }) => kind === 'snapshot');
  }

  #write(record: DiskRecord, done: (outcome: WriteOutcome) => void): void {
    const isTrusted = this.#rules.counts(false);
    this.log.append([record]);
    this.#unsynced.push(record);
    this.log.sync(() => {
      this.#unsynced = this.#unsynced.filter((other) => other !== record);
      this.#durable.replay(record);
      if (!isTrusted) done('written');
    });
    if (!isTrusted) return;
    const crashes = this.#crashes;
    this.#soon(() => {
      if (this.#crashes === crashes) done('written');
    });
  }

  /** The kernel has thrown away what was to be synced. */
  #failToSync(done: (outcome: WriteOutcome) => void): void {
    this.#isSyncToFail = false;
    this.#answerWhenSynced(this.#rules.goesOn(true) ? 'written' : 'failed', done);
  }

  #answerWhenSynced(outcome: WriteOutcome, done: (outcome: WriteOutcome) => void): void {
    this.log.sync(() => {
      done(outcome);
    });
  }

  /** Rewrites the log as one snapshot and one batch, as the deletion of old segments does. */
  compact(): void {
    const { snapshot, entries, hardState } = this.#durable;
    if (snapshot === null) return;
    const batch = { id: 0, snapshot: null, entries, hardState };
    this.log.replaceWith([{ kind: 'snapshot', snapshot }, { kind: 'batch', batch }, ...this.#unsynced]);
  }

  crash(): void {
    this.#crashes += 1;
    this.#isSyncToFail = false;
    this.#waiting = null;
    const written = this.#unsynced.find((record) => record.kind === 'snapshot');
    this.log.crash();
    this.#unsynced = [];
    this.#durable = new DiskImage();
    for (const record of this.log.recover().records) this.#durable.replay(record);
    // What the crash left of a snapshot's file never got its name, and is forgotten.
    if (written !== undefined && this.#rules.isSnapshot(false)) {
      this.#durable.replay({ kind: 'snapshot', snapshot: withoutItsEnd(written.snapshot) });
    }
  }

  /** Another, empty disk takes its place. Its member must be down. */
  lose(): void {
    this.losses += 1;
    this.log.replaceWith([]);
    this.#unsynced = [];
    this.#durable = new DiskImage();
  }

  /** `founding` is the configuration of a log that has no snapshot. */
  recover(founding: Configuration): StartingPoint {
    const { hardState, snapshot, entries } = this.#durable;
    const { index, term, configuration } = snapshot ?? { index: 0, term: 0, configuration: founding };
    const base = { point: { index, term }, configuration };
    return { stored: { hardState, base, entries: [...entries] }, snapshot };
  }

  /** Of its log, or of the snapshot that stands for it. */
  get lastIndex(): LogIndex {
    return this.#durable.lastIndex;
  }

  /** As far as its disk can tell, which in a later term is nothing. */
  mayHaveVoted(candidate: MemberId, term: Term): boolean {
    const { hardState } = this.#durable;
    return hardState.term > term || (hardState.term === term && hardState.vote === candidate);
  }

  has(index: LogIndex, term: Term): boolean {
    return this.#durable.has(index, term);
  }
}

/** What a received snapshot needs was taken chunk by chunk, before it was installed. */
function isLarge(record: DiskRecord): boolean {
  return record.kind === 'snapshot' || record.batch.entries.some(needsRoom);
}

function withoutItsEnd(snapshot: Snapshot): Snapshot {
  return { ...snapshot, chunks: snapshot.chunks.slice(0, Math.floor(snapshot.chunks.length / 2)) };
}

class DiskImage {
  hardState: HardState = { term: 0, vote: 0, commit: 0 };
  snapshot: Snapshot | null = null;
  /** Those after the snapshot. */
  entries: Entry[] = [];

  replay(record: DiskRecord): void {
    if (record.kind === 'snapshot') {
      this.#install(record.snapshot, true);
      return;
    }
    const { hardState, snapshot, entries } = record.batch;
    if (snapshot !== null) this.#install(snapshot, false);
    this.hardState = hardState;
    for (const entry of entries) this.#put(entry);
  }

  has(index: LogIndex, term: Term): boolean {
    if (index <= this.#base) return true;
    return this.entries[index - this.#base - 1]?.term === term;
  }

  get lastIndex(): LogIndex {
    return this.#base + this.entries.length;
  }

  get #base(): LogIndex {
    return this.snapshot?.index ?? 0;
  }

  #put(entry: Entry): void {
    const at = entry.index - this.#base - 1;
    if (at < 0) return;
    this.entries.length = Math.min(this.entries.length, at);
    this.entries.push(entry);
  }

  #install(snapshot: Snapshot, isOwn: boolean): void {
    if (snapshot.index <= this.#base) return;
    const continues = isOwn || this.has(snapshot.index, snapshot.term);
    this.entries = continues ? this.entries.slice(snapshot.index - this.#base) : [];
    this.snapshot = snapshot;
  }
}
