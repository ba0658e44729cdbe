/**
 * The streams of one member, and the watches on them (libs/contracts/src/control/watch-stream.ts says how they are used).
 *
 * A watch is either **synced**: it has been sent all that there is, and follows the store; or **behind**: it takes pages of
 * the store's history whenever its stream has room, until it is synced. A new watch begins behind, and one that must hear
 * of a change while its stream is full falls behind. So what a slow client costs here is a position for each watch.
 * (The same as the synced, unsynced and victim watchers of etcd's `watchableStore`.)
 *
 * Does no I/O: `send` takes frames, and the owner calls `turn` when one is asked for, and `sweep` every few seconds.
 */
import { OperationalError, encodeWatchFrame, reserveEnvelope } from '@ringleader/contracts';
import {
  WATCH_STREAM_EXPIRES_MS,
  type RequestOf,
  type ResponseOf,
  type watchContracts,
} from '@ringleader/contracts';
import type { MvccStore } from '@ringleader/mvcc';
import { ByteWriter, type MonotonicMs } from '@ringleader/primitives';
import { FollowedChange, type StoreFollowers } from './store-followers.js';
import {
  type OnTheWay,
  Stream,
  WATCH_LIMITS,
  Watch,
  type WatchAdded,
  type WatchLimits,
} from './watch-stream.js';

type Contract = typeof watchContracts.watchStream;

/** Of the history, between two looks at the clock. */
const REVISIONS_A_LOOK = 32;

export interface WatchStreamsParts {
  readonly store: () => MvccStore;
  readonly followers: StoreFollowers;
  readonly nowMs: () => MonotonicMs;
  /** The frame has room for its envelope. */
  readonly send: (inbox: string, frame: Buffer) => void;
  /** `turn` is to be called soon. */
  readonly onWork: () => void;
  readonly limits?: WatchLimits;
}

export class WatchStreams {
  readonly #streams = new Map<string, Stream>();
  /** Have something to send. */
  readonly #dirty = new Set<Stream>();
  /** Have watches that are behind, and room. */
  readonly #lagging = new Set<Stream>();
  readonly #writer = new ByteWriter();
  readonly #limits: WatchLimits;
  /** Watches that heard of the present revision. */
  #touched: Watch[] = [];
  readonly #onTheWay: OnTheWay = { bytes: 0 };
  #watchCount = 0;
  #sentEvents = 0;

  constructor(private readonly parts: WatchStreamsParts) {
    this.#limits = parts.limits ?? WATCH_LIMITS;
    parts.followers.onRevision((revision) => this.#endRevision(revision));
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  get watchCount(): number {
    return this.#watchCount;
  }

  get behindCount(): number {
    return [...this.#streams.values()].reduce((count, { behind }) => count + behind.size, 0);
  }

  /** Of each watch. */
  get sentEvents(): number {
    return this.#sentEvents;
  }

  request(inbox: string, request: RequestOf<Contract>): ResponseOf<Contract> {
    const stream = request.isNew === true ? this.#fresh(inbox) : this.#streams.get(inbox);
    if (stream === undefined) {
      const details = { stream: request.stream };
      throw new OperationalError('UNAVAILABLE', 'This member does not have the watch stream', details);
    }
    this.#refuseInvalid(stream, request);
    this.#streams.set(inbox, stream);
    stream.heardAt = this.parts.nowMs();
    stream.received(request.received);
    for (const id of request.cancel ?? []) this.#remove(stream.watches.get(id));
    this.#add(stream, request.add ?? []);
    if (request.isClosed === true) this.#forget(stream);
    else this.#queue(stream, request.wantsProgress === true);
    return { sent: stream.sent, windowBytes: this.#limits.windowBytes };
  }

  /** Sends what has gathered, and looks after watches that are behind, for a while. */
  turn(): void {
    const until = this.parts.nowMs() + this.#limits.turnMs;
    this.#sendDirty();
    for (const stream of this.#lagging) {
      this.#lagging.delete(stream);
      if (this.#catchUp(stream, until)) continue;
      // Behind all others: who goes through a long history, over and over maybe, is not to keep them from theirs.
      this.#lagging.add(stream);
      break;
    }
    this.#sendDirty();
    if (this.#lagging.size > 0) this.parts.onWork();
  }

  /** Signs of life, and an end to streams whose clients give none. */
  sweep(): void {
    const now = this.parts.nowMs();
    for (const stream of this.#streams.values()) {
      if (now - stream.heardAt > WATCH_STREAM_EXPIRES_MS) this.#forget(stream);
      else this.#close(stream, { isSign: true });
    }
  }

  /** The store was replaced by a snapshot; `seen` is what all had been shown of the one before. */
  restored(seen: number): void {
    for (const stream of this.#streams.values()) {
      for (const watch of stream.watches.values()) {
        if (this.parts.followers.delete(watch)) watch.fallBehind(seen + 1);
      }
      if (stream.behind.size > 0) this.#lagging.add(stream);
    }
    if (this.#lagging.size > 0) this.parts.onWork();
  }

  /** Sends all clients away: this member cannot serve them now. */
  endAll(): void {
    for (const stream of this.#streams.values()) {
      this.#close(stream, { isLast: true });
      this.#forget(stream);
    }
  }

  #fresh(inbox: string): Stream {
    const { streamsMax } = this.#limits;
    if (this.#streams.has(inbox))
      throw new OperationalError('INVALID_ARGUMENT', 'There is a stream of this name');
    if (this.#streams.size >= streamsMax) {
      throw new OperationalError('OVERLOADED', 'This member serves as many watch streams as it can', {
        streamsMax,
      });
    }
    return new Stream(inbox, this.#limits, this.#onTheWay, this.parts.nowMs());
  }

  /** Before anything is done: a request that is refused has done nothing, and is repeated without what was wrong in it. */
  #refuseInvalid({ watches }: Stream, { add = [], cancel = [] }: RequestOf<Contract>): void {
    const { watchesPerStreamMax: watchesMax } = this.#limits;
    const cancelled = new Set(cancel.filter((id) => watches.has(id)));
    if (watches.size - cancelled.size + add.length > watchesMax) {
      throw new OperationalError('INVALID_ARGUMENT', 'The stream has as many watches as it may', {
        watchesMax,
      });
    }
    const added = new Set<number>();
    for (const { id } of add) {
      if (added.has(id) || (watches.has(id) && !cancelled.has(id)))
        throw new OperationalError('INVALID_ARGUMENT', 'There is a watch of this number', { id });
      added.add(id);
    }
  }

  #add(stream: Stream, requests: readonly WatchAdded[]): void {
    for (const request of requests) {
      const watch = new Watch(stream, this.#take, request);
      stream.watches.set(watch.id, watch);
      stream.addBehind(watch);
      this.#watchCount += 1;
    }
  }

  #queue(stream: Stream, wantsProgress: boolean): void {
    if (wantsProgress) {
      stream.wantsProgress = true;
      this.#dirty.add(stream);
    }
    if (stream.behind.size > 0) this.#lagging.add(stream);
    if (wantsProgress || stream.behind.size > 0) this.parts.onWork();
  }

  #remove(watch: Watch | undefined): void {
    if (watch === undefined) return;
    watch.stream.watches.delete(watch.id);
    watch.stream.deleteBehind(watch);
    this.parts.followers.delete(watch);
    this.#watchCount -= 1;
  }

  #forget(stream: Stream): void {
    for (const watch of [...stream.watches.values()]) this.#remove(watch);
    stream.end();
    this.#streams.delete(stream.inbox);
    this.#dirty.delete(stream);
    this.#lagging.delete(stream);
  }

  /** A change for a watch that is synced. Its stream may be full, maybe in the middle of the revision. */
  readonly #take = (watch: Watch, revision: number, change: FollowedChange): void => {
    const { stream } = watch;
    if (stream.roomBytes === 0) {
      watch.fallBehind(revision);
      this.#touched.push(watch);
      return;
    }
    watch.reach(revision);
    if (watch.skip === 0) this.#touched.push(watch);
    watch.skip += 1;
    this.#append(watch, change.encoded(watch.wantsPrevious));
    this.#dirty.add(stream);
  };

  #endRevision(revision: number): void {
    const touched = this.#touched;
    if (touched.length === 0) return;
    this.#touched = [];
    for (const watch of touched) {
      if (watch.isBehind) this.parts.followers.delete(watch);
      else watch.reach(revision + 1);
    }
    this.parts.onWork();
  }

  #append(watch: Watch, event: Buffer): void {
    const { stream } = watch;
    stream.append(watch, event);
    this.#sentEvents += 1;
    if (stream.pendingBytes >= this.#limits.frameBytes) this.#close(stream, {});
  }

  /**
   * Goes through the history once for all watches of the stream that are behind, as far as there is room. False when it is
   * time for something else.
   */
  #catchUp(stream: Stream, until: MonotonicMs): boolean {
    const { followers, nowMs } = this.parts;
    this.#dirty.add(stream);
    this.#endCompacted(stream);
    let revision = followers.seen + 1;
    for (const { next } of stream.behind) revision = Math.min(revision, next);
    const isTimeOver = (): boolean => revision % REVISIONS_A_LOOK === 0 && nowMs() >= until;
    while (revision <= followers.seen && stream.roomBytes > 0 && this.#replay(stream, revision)) {
      revision += 1;
      if (isTimeOver()) break;
    }
    for (const watch of stream.behind) {
      watch.reach(revision);
      if (revision > followers.seen) this.#synced(watch);
    }
    return stream.behind.size === 0 || stream.roomBytes === 0;
  }

  /** False when there was no room for all of the revision: some watches are in the middle of it. */
  #replay(stream: Stream, revision: number): boolean {
    const touched: Watch[] = [];
    let isWhole = true;
    for (const change of this.parts.store().changesAt(revision)) {
      const followed = new FollowedChange(change, this.#writer);
      stream.visitBehind(change.key, (watch) => {
        if (!watch.wants(revision, followed)) return;
        watch.reach(revision);
        if (watch.met === 0) touched.push(watch);
        watch.met += 1;
        if (watch.met <= watch.skip) return;
        if (stream.roomBytes === 0) isWhole = false;
        else {
          // Where a frame is closed now, it says that the revision is not whole.
          watch.skip = watch.met;
          this.#append(watch, followed.encoded(watch.wantsPrevious));
        }
      });
      if (!isWhole) break;
    }
    for (const watch of touched) {
      watch.met = 0;
      if (isWhole) watch.reach(revision + 1);
    }
    return isWhole;
  }

  #endCompacted(stream: Stream): void {
    const { compactedRevision } = this.parts.store();
    for (const watch of stream.behind) {
      if (watch.next > compactedRevision) continue;
      stream.cancelled.push([watch, compactedRevision]);
      this.#remove(watch);
    }
  }

  #synced(watch: Watch): void {
    watch.isBehind = false;
    watch.stream.deleteBehind(watch);
    this.parts.followers.add(watch);
  }

  #sendDirty(): void {
    for (const stream of this.#dirty) {
      this.#dirty.delete(stream);
      const isSign = stream.wantsProgress && stream.behind.size === 0;
      if (isSign) stream.wantsProgress = false;
      if (isSign || stream.hasPending) this.#close(stream, { isSign });
    }
  }

  #close(stream: Stream, { isSign = false, isLast = false }): void {
    const { cancelled, behind } = stream;
    const inTheMiddle = this.#touched.filter((watch) => watch.stream === stream);
    const partial = [...inTheMiddle, ...behind, ...cancelled.map(([watch]) => watch)].filter(
      ({ skip }) => skip > 0,
    );
    const isSynced = inTheMiddle.length === 0 && behind.size === 0;
    stream.sent += 1;
    const head = {
      ...{ number: stream.sent, isSign, isLast },
      syncedRevision: isSynced ? this.parts.followers.seen : 0,
      cancelled: cancelled.map(([{ id }, compactedRevision]) => ({ id, compactedRevision })),
      partial: partial.map(({ id }) => id),
    };
    reserveEnvelope(this.#writer);
    const frame = encodeWatchFrame(this.#writer, head, stream.pending);
    stream.left(frame.length);
    stream.owesWhole = partial.length > 0;
    this.parts.send(stream.inbox, frame);
  }
}
