/** One watch and one stream of a member, as `WatchStreams` moves them. */
import { WATCHES_PER_STREAM_MAX, type RequestOf, type watchContracts } from '@ringleader/contracts';
import { WatcherIndex } from '@ringleader/mvcc';
import type { MonotonicMs } from '@ringleader/primitives';
import { toKeyRange } from '../store/wire.js';
import type { FollowedChange, Follower } from './store-followers.js';

export type WatchAdded = NonNullable<RequestOf<typeof watchContracts.watchStream>['add']>[number];

export interface WatchLimits {
  readonly streamsMax: number;
  readonly watchesPerStreamMax: number;
  /** Of frames that the client has not received, for each stream. */
  readonly windowBytes: number;
  /** The same for each stream once all of them have more than `allBytes`: what a stalled nats-server leaves here is bounded. */
  readonly crowdedBytes: number;
  readonly allBytes: number;
  /** A frame is closed once it has so many; one event and a window's end may be above it. */
  readonly frameBytes: number;
  /** How long watches that are behind are looked after before anything else has its turn. */
  readonly turnMs: number;
}

export const WATCH_LIMITS: WatchLimits = {
  streamsMax: 2_048,
  watchesPerStreamMax: WATCHES_PER_STREAM_MAX,
  windowBytes: 512 * 1024,
  crowdedBytes: 64 * 1024,
  allBytes: 32 * 1024 * 1024,
  frameBytes: 128 * 1024,
  turnMs: 5,
};

/** An event on its way, and the watches of the stream that it is for. */
interface Pending {
  readonly watches: number[];
  readonly event: Buffer;
}

/** About what an id takes in a frame. */
const ID_BYTES = 3;

export class Watch implements Follower {
  readonly id: number;
  readonly key: string;
  readonly rangeEnd: string | null;
  readonly #noPuts: boolean;
  readonly #noDeletes: boolean;
  readonly wantsPrevious: boolean;
  isBehind = true;
  /** All before this revision has been sent; while it is synced, up to what its followers have seen, too. */
  next: number;
  /** So many of its events at `next` have been sent: it is in the middle of that revision. */
  skip = 0;
  /** So many of these were met again, when the revision is looked at once more. */
  met = 0;

  constructor(
    readonly stream: Stream,
    private readonly onSeen: (watch: Watch, revision: number, change: FollowedChange) => void,
    request: WatchAdded,
  ) {
    const { id, fromRevision, noPuts = false, noDeletes = false, wantsPrevious = false } = request;
    ({ key: this.key, rangeEnd: this.rangeEnd } = toKeyRange(request));
    this.id = id;
    this.next = fromRevision;
    this.#noPuts = noPuts;
    this.#noDeletes = noDeletes;
    this.wantsPrevious = wantsPrevious;
  }

  see(revision: number, change: FollowedChange): void {
    if (!this.isBehind && this.wants(revision, change)) this.onSeen(this, revision, change);
  }

  /** Of a change of its range. */
  wants(revision: number, { kind }: FollowedChange): boolean {
    return revision >= this.next && !(kind === 'put' ? this.#noPuts : this.#noDeletes);
  }

  /** It has been sent all before this revision, and maybe some of it. */
  reach(revision: number): void {
    if (this.next >= revision) return;
    this.next = revision;
    this.skip = 0;
  }

  /** From here on it needs the history. */
  fallBehind(revision: number): void {
    this.isBehind = true;
    this.reach(revision);
    this.stream.addBehind(this);
  }
}

/** What is on its way to all clients. */
export interface OnTheWay {
  bytes: number;
}

/** What is on its way to one client. */
export class Stream {
  readonly watches = new Map<number, Watch>();
  readonly #behind = new Set<Watch>();
  readonly #behindIndex = new WatcherIndex<Watch>();
  sent = 0;
  heardAt: MonotonicMs;
  wantsProgress = false;
  pending: Pending[] = [];
  /** With the revision up to which the store is compacted. */
  cancelled: (readonly [watch: Watch, compactedRevision: number])[] = [];
  /** The client was told that it has revisions in part; it waits to hear that they are whole. */
  owesWhole = false;
  pendingBytes = 0;
  readonly #unreceived: { readonly number: number; readonly bytes: number }[] = [];
  #unreceivedBytes = 0;

  constructor(
    readonly inbox: string,
    private readonly limits: WatchLimits,
    private readonly all: OnTheWay,
    now: MonotonicMs,
  ) {
    this.heardAt = now;
  }

  get behind(): ReadonlySet<Watch> {
    return this.#behind;
  }

  addBehind(watch: Watch): void {
    this.#behind.add(watch);
    this.#behindIndex.add(watch);
  }

  deleteBehind(watch: Watch): void {
    this.#behind.delete(watch);
    this.#behindIndex.delete(watch);
  }

  /** Those that are behind and watch the key. */
  visitBehind(key: string, visitor: (watch: Watch) => void): void {
    this.#behindIndex.visit(key, visitor);
  }

  get roomBytes(): number {
    const { windowBytes, crowdedBytes, allBytes } = this.limits;
    const window = this.all.bytes > allBytes ? crowdedBytes : windowBytes;
    return Math.max(0, window - this.#unreceivedBytes - this.pendingBytes);
  }

  get hasPending(): boolean {
    return this.pending.length > 0 || this.cancelled.length > 0 || this.owesWhole;
  }

  append(watch: Watch, event: Buffer): void {
    const last = this.pending.at(-1);
    if (last?.event === event) last.watches.push(watch.id);
    else {
      this.pending.push({ watches: [watch.id], event });
      this.pendingBytes += event.length;
    }
    this.pendingBytes += ID_BYTES;
  }

  left(bytes: number): void {
    this.#unreceived.push({ number: this.sent, bytes });
    this.#unreceivedBytes += bytes;
    this.all.bytes += bytes;
    this.pending = [];
    this.cancelled = [];
    this.pendingBytes = 0;
  }

  received(number: number): void {
    const open = this.#unreceived.findIndex((frame) => frame.number > number);
    const received = this.#unreceived.splice(0, open === -1 ? this.#unreceived.length : open);
    for (const { bytes } of received) {
      this.#unreceivedBytes -= bytes;
      this.all.bytes -= bytes;
    }
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.received(this.sent);
  }
}
