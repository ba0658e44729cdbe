/**
 * Writes under a client's own idempotency key (docs/PROTOCOL.md 4.7.6). A client that repeats one may reach another gateway,
 * which does not know when the first attempt was made; and a row remembers its last four writes only. So each replica
 * also remembers the keyed writes that it saw pass in its own history, back to `floor`: what is not there, and was first
 * attempted after the floor, was not applied. The memory is volatile. A follower sees the same batches as its leader, so
 * a fail-over keeps it; whatever else changes the rows (a repair, a copy, a restart) begins it anew, and others tell it.
 */
import { HYBRID_UNITS_PER_MS, type HybridTime, type Revision } from '@ringleader/primitives';
import type { PaxosTimings } from '../ready.js';
import type { RequestMark, Row } from '../records.js';
import { isKeyed } from '../requests.js';
import { PackedMarks } from '../request-marks.js';
import type { RequestRules } from '../rules/request-rules.js';
import type { MemoryShare } from './memory-share.js';
import { TextTable } from './text-table.js';

/** Of one partition, and of its keys; all partitions share a bound in bytes besides. */
export const ENTRIES_MAX = 4_096;
/** Numbers of a mark, and the one of a key, in the order in which they are kept. */
const [ORIGIN, REVISION, VERSION] = [0, 1, 2];
const NUMBERS_OF_MARK = 3;
const FLOOR = 0;
const NUMBERS_OF_KEY = 1;
/** A part of the marks, where there are too many. */
const MORE_FORGOTTEN = 1 / 32;

/** W: how long after its first attempt a keyed write may come with another origin, by whichever clock. */
export function keyedWindowMs({ rules, timings }: { rules: RequestRules; timings: PaxosTimings }): number {
  return rules.keyedWindowMs(timings.repeatWindowMs, timings.clocksDifferMs);
}

/** What a replica remembers, as it tells others. */
export interface Recollection {
  readonly floor: HybridTime;
  readonly marks: readonly RequestMark[];
}

export class KeyedRequests {
  /** By their ids. */
  private readonly marks = new TextTable(NUMBERS_OF_MARK);
  /** What each key's row had forgotten when it was first seen: what came later is here, or in the row. */
  private readonly keyFloors = new TextTable(NUMBERS_OF_KEY);
  private begunAt: HybridTime;
  /** All keyed writes past it passed here. */
  private begunPast: Revision = 0;
  /** The greatest origin of what was dropped again. */
  private droppedTo: HybridTime = 0;
  /** The origin of the first mark, or less than that. */
  private oldest: HybridTime = 0;
  private bytes = 0;

  constructor(
    private readonly rules: RequestRules,
    private readonly windowMs: number,
    private readonly share: MemoryShare,
  ) {
    this.begunAt = rules.memoryFloorAtStart();
  }

  /** Complete for requests on the key with a later origin; infinite while it is complete for none. */
  floorOf(key: string): HybridTime {
    const { begunAt, droppedTo, keyFloors } = this;
    const slot = keyFloors.find(key);
    const floor = slot < 0 ? begunAt : Math.min(begunAt, keyFloors.number(slot, FLOOR));
    return Math.max(droppedTo, floor);
  }

  get(requestId: string): RequestMark | undefined {
    const slot = this.marks.find(requestId);
    return slot < 0 ? undefined : this.markAt(slot);
  }

  private markAt(slot: number): RequestMark {
    const { marks } = this;
    return {
      id: marks.text(slot),
      origin: marks.number(slot, ORIGIN),
      revision: marks.number(slot, REVISION),
      version: marks.number(slot, VERSION),
    };
  }

  private allMarks(): RequestMark[] {
    return Array.from(this.marks.slots(), (slot) => this.markAt(slot));
  }

  /**
   * From here on nothing passes unseen. `now` is a hybrid time that is merged with what another replica said of this
   * history (a batch, promises), so that it is past the origin of every write in it, which goes to `revision`.
   * Where nothing was written yet it is complete.
   */
  begin(now: HybridTime, revision: Revision): void {
    if (this.begunAt !== Number.POSITIVE_INFINITY) return;
    this.begunAt = this.rules.memoryFloorFrom(now, revision);
    this.begunPast = revision;
  }

  /** For others, of the whole history; null while it is complete for nothing. */
  tell(): Recollection | null {
    if (this.begunAt === Number.POSITIVE_INFINITY) return null;
    const floor = Math.max(this.droppedTo, this.begunAt);
    return { floor: this.rules.floorToTell(floor), marks: this.allMarks() };
  }

  /**
   * What another told of its history up to `toldUpTo`, which up to `end` is this replica's too. It counts where all that
   * it lacks has passed here; what is past `end` is not, or not yet, a part of this history. True where this memory
   * reaches further back by it.
   */
  recall({ floor, marks }: Recollection, { end, toldUpTo }: { end: Revision; toldUpTo: Revision }): boolean {
    const { begunAt } = this;
    const hasBegun = begunAt !== Number.POSITIVE_INFINITY;
    if (!this.rules.memoriesMeet(hasBegun ? this.begunPast : end, toldUpTo)) return false;
    if (!hasBegun) this.begunPast = end;
    this.begunAt = Math.min(begunAt, floor);
    const told = new Map<string, RequestMark>();
    for (const mark of marks) {
      if (this.rules.isInHistory(mark.revision, end) && this.marks.find(mark.id) < 0) told.set(mark.id, mark);
    }
    if (told.size > 0) this.insert(told);
    return this.begunAt < begunAt;
  }

  /** In their order among those that are there: the oldest go first. */
  private insert(told: ReadonlyMap<string, RequestMark>): void {
    const all = [...told.values(), ...this.allMarks()].sort((a, b) => a.revision - b.revision);
    this.marks.clear();
    this.oldest = 0;
    for (const mark of all) this.put(mark);
    this.account();
    this.forgetOldest(Number.NEGATIVE_INFINITY);
  }

  /** False where it is remembered already. */
  private put({ id, origin, revision, version }: RequestMark): boolean {
    return this.marks.add(id, origin, revision, version);
  }

  /**
   * A row of a batch in order: all keyed writes of its key in that batch are among its marks. Those up to `seen` have
   * passed here, or were before it all began; they count where the row is the first that is seen of its key.
   */
  addAll(row: Row, seen: Revision): void {
    const isNew = this.noteKey(row);
    if (row.requests.mayBeKeyed === false) return;
    for (const mark of PackedMarks.of(row.requests).past(isNew ? 0 : seen)) {
      if (!isKeyed(mark.id) || !this.put(mark)) continue;
      if (this.marks.size === 1) this.oldest = mark.origin;
      this.account();
      this.forgetOldest(this.windowBefore(mark.origin));
    }
  }

  /** Writes past this revision were given up before they became part of the history. */
  dropPast(revision: Revision): void {
    this.marks.keep((slot) => this.marks.number(slot, REVISION) <= revision);
    this.account();
    this.oldest = 0;
  }

  /** A repair or a copy: the rows are those of another history now. */
  replaced(now: HybridTime, revision: Revision): void {
    if (!this.rules.memoryOutlivesInstall()) this.restart();
    this.begin(now, revision);
  }

  restart(): void {
    this.marks.clear();
    this.keyFloors.clear();
    this.account();
    this.begunAt = Number.POSITIVE_INFINITY;
  }

  /** Needed only until the beginning is longer ago than anything that may be repeated. */
  private noteKey({ key, requestFloor, modifiedAt }: Row): boolean {
    const { keyFloors } = this;
    if (this.windowBefore(modifiedAt) > this.begunAt) {
      if (keyFloors.size > 0) this.forgetKeys();
      return false;
    }
    if (keyFloors.size >= ENTRIES_MAX || this.share.isExceededBy(this.bytes)) return false;
    if (!keyFloors.add(key, this.rules.floorOfSeenKey(requestFloor))) return false;
    this.account();
    return true;
  }

  private forgetKeys(): void {
    this.keyFloors.clear();
    this.account();
  }

  private windowBefore(time: HybridTime): HybridTime {
    return time - this.windowMs * HYBRID_UNITS_PER_MS;
  }

  private forgetOldest(before: HybridTime): void {
    // What the keys had forgotten saves answers OUTCOME_UNKNOWN for a while, marks do as long as they are remembered.
    if (this.keyFloors.size > 0 && this.share.isExceededBy(this.bytes)) this.forgetKeys();
    if (this.oldest >= before && !this.isTooMuch) return;
    // Some more at once, so that this is not done for each write.
    const { marks } = this;
    let more = this.isTooMuch ? marks.size * MORE_FORGOTTEN : 0;
    for (let slot = marks.firstSlot; slot >= 0; slot = marks.firstSlot) {
      const origin = marks.number(slot, ORIGIN);
      this.oldest = origin;
      if (origin >= before && !this.isTooMuch && more < 1) return;
      more -= 1;
      marks.dropFirst();
      this.account();
      this.droppedTo = this.rules.floorAfterDrop(this.droppedTo, origin);
    }
  }

  private get isTooMuch(): boolean {
    return this.marks.size > ENTRIES_MAX || this.share.isExceededBy(this.bytes);
  }

  private account(): void {
    const bytes = this.marks.bytes + this.keyFloors.bytes;
    this.share.add(bytes - this.bytes);
    this.bytes = bytes;
  }
}
