/**
 * The part of the log that is not yet compacted, in memory, with the marks that move along it:
 *
 *   base <= applied <= handedToApply <= commit <= lastIndex,   handedToApply <= written <= handedToWrite <= lastIndex
 *
 * `written` is what the disk has of exactly these entries. Commit may run ahead of it: a majority of others may have
 * what this member's disk does not have yet. Applying never does.
 */
import { invariant } from '@ringleader/primitives';
import { Configurations } from '../membership/configurations.js';
import type { MembershipRules } from '../rules.js';
import {
  type Configuration,
  type Entry,
  entrySizeBytes,
  type LogIndex,
  type Snapshot,
  type SnapshotPoint,
  type Term,
} from '../types.js';

export interface StoredLog {
  readonly base: SnapshotPoint;
  /** As of the base. */
  readonly configuration: Configuration;
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
}

export class RaftLog {
  readonly configurations: Configurations;
  #base: SnapshotPoint;
  #entries: Entry[];
  #commit: LogIndex;
  #applied: LogIndex;
  #handedToApply: LogIndex;
  #written: LogIndex;
  #handedToWrite: LogIndex;
  /** Installed here, not yet known to be on disk: until then nothing counts as written. */
  #snapshotBeingWritten: LogIndex = 0;

  /** Whatever a restarted member finds on its disk is written; the state machine stands at the snapshot. */
  constructor(stored: StoredLog, rules: Pick<MembershipRules, 'isUndone'>) {
    this.#base = stored.base;
    this.#entries = [...stored.entries];
    this.configurations = new Configurations(
      { index: stored.base.index, configuration: stored.configuration },
      rules,
    );
    this.configurations.put(stored.entries);
    this.#entries.forEach((entry, i) => {
      invariant(entry.index === stored.base.index + 1 + i, 'the stored log has a gap');
    });
    this.#commit = Math.max(stored.base.index, Math.min(stored.commit, this.lastIndex));
    this.#applied = stored.base.index;
    this.#handedToApply = stored.base.index;
    this.#written = this.lastIndex;
    this.#handedToWrite = this.lastIndex;
  }

  get base(): SnapshotPoint {
    return this.#base;
  }
  get firstIndex(): LogIndex {
    return this.#base.index + 1;
  }
  get lastIndex(): LogIndex {
    return this.#base.index + this.#entries.length;
  }
  get commit(): LogIndex {
    return this.#commit;
  }
  get applied(): LogIndex {
    return this.#applied;
  }
  get written(): LogIndex {
    return this.#written;
  }

  lastPoint(): SnapshotPoint {
    return this.#entries.at(-1) ?? this.#base;
  }

  /** Null where this log has nothing to say: past its end, and before its base. */
  termAt(index: LogIndex): Term | null {
    if (index === this.#base.index) return this.#base.term;
    return this.entryAt(index)?.term ?? null;
  }

  entryAt(index: LogIndex): Entry | null {
    return index > this.#base.index ? (this.#entries[index - this.firstIndex] ?? null) : null;
  }

  /** Entries from `index` on: as many as fit, and at least one if there is any. */
  entriesFrom(index: LogIndex, bytesMax: number, lastIndex: LogIndex = this.lastIndex): Entry[] {
    const start = index - this.firstIndex;
    invariant(start >= 0, 'entries that were compacted away were asked for');
    const available = lastIndex - index + 1;
    let count = 0;
    let bytes = 0;
    while (count < available) {
      bytes += entrySizeBytes(this.#entries[start + count]!);
      if (count > 0 && bytes > bytesMax) break;
      count += 1;
    }
    return this.#entries.slice(start, start + count);
  }

  /** Puts entries at their places. What stood there and behind was never committed, and goes. */
  put(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    invariant(first.index > this.#commit, `a committed entry would be replaced at ${String(first.index)}`);
    invariant(first.index <= this.lastIndex + 1, `a gap before ${String(first.index)}`);
    const keep = first.index - this.firstIndex;
    if (keep < this.#entries.length) this.#entries.length = keep;
    for (const entry of entries) this.#entries.push(entry);
    this.configurations.put(entries);
    this.#written = Math.min(this.#written, first.index - 1);
    this.#handedToWrite = Math.min(this.#handedToWrite, first.index - 1);
  }

  /** The newest index at or before `index` whose term is at most `term`: what a conflict hint can skip to. */
  newestAtMost(index: LogIndex, term: Term): SnapshotPoint {
    let candidate = Math.min(index, this.lastIndex);
    while (candidate > this.#base.index && this.termAt(candidate)! > term) candidate -= 1;
    return { index: candidate, term: this.termAt(candidate) ?? 0 };
  }

  commitTo(index: LogIndex): void {
    invariant(
      index <= this.lastIndex,
      `commit ${String(index)} is past the log's end ${String(this.lastIndex)}`,
    );
    if (index > this.#commit) this.#commit = index;
  }

  /** Committed, on this disk, and not yet handed out. Nothing while the entries before are being applied. */
  takeToApply(bytesMax: number): Entry[] {
    const last = Math.min(this.#commit, this.#written);
    if (this.#handedToApply > this.#applied || last <= this.#handedToApply) return [];
    const entries = this.entriesFrom(this.#handedToApply + 1, bytesMax, last);
    this.#handedToApply += entries.length;
    return entries;
  }

  markApplied(index: LogIndex): void {
    invariant(index >= this.#applied && index <= this.#handedToApply, 'applied what was not handed out');
    this.#applied = index;
  }

  get handedToWrite(): LogIndex {
    return this.#handedToWrite;
  }

  takeToWrite(): Entry[] {
    const entries = this.entriesToWrite();
    this.#handedToWrite = this.lastIndex;
    return entries;
  }

  entriesToWrite(): Entry[] {
    return this.#entries.slice(this.#handedToWrite + 1 - this.firstIndex);
  }

  /** What was handed out was not written, and is to be handed out again. */
  takeBackToWrite(): void {
    this.#handedToWrite = Math.max(this.#written, this.#base.index);
  }

  /**
   * A batch with the entries up to `lastIndex`, or with a snapshot, is on disk. What was replaced here since it
   * was handed out does not count: `handedToWrite` went back then, and no further batch is handed out meanwhile.
   */
  markWritten(lastIndex: LogIndex, snapshot: Snapshot | null): void {
    if (snapshot !== null && snapshot.index === this.#snapshotBeingWritten) this.#snapshotBeingWritten = 0;
    if (this.#snapshotBeingWritten > 0) return;
    this.#written = Math.max(this.#written, Math.min(lastIndex, this.#handedToWrite));
  }

  /** Replaces the whole log by a snapshot. Nothing is written, or applied, until the snapshot is on disk. */
  restore(point: SnapshotPoint, configuration: Configuration): void {
    invariant(point.index > this.#commit, 'a snapshot would take back what is committed');
    this.#base = { index: point.index, term: point.term };
    this.#entries = [];
    this.configurations.restore({ index: point.index, configuration });
    this.#commit = point.index;
    this.#handedToApply = point.index;
    this.#written = 0;
    this.#handedToWrite = point.index;
    this.#snapshotBeingWritten = point.index;
  }

  /** Forgets the entries up to `point`, which a durable snapshot covers. */
  compact(point: SnapshotPoint): void {
    const count = point.index - this.#base.index;
    if (count <= 0) return;
    invariant(point.index <= this.#applied, 'compaction of what is not applied');
    this.#entries.splice(0, count);
    this.configurations.compact(point.index);
    this.#base = { index: point.index, term: point.term };
  }
}
