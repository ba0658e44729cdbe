/**
 * Watches at the coordinators (libs/contracts/src/control/watch-stream.ts): all of a client's on one stream at one member.
 * When the stream ends, for whatever reason, all go on at another member, each from the first revision that its listener
 * has not seen. A listener gets whole revisions, in order, each once.
 */
import {
  OperationalError,
  WATCHES_ADDED_MAX,
  WATCHES_PER_STREAM_MAX,
  WATCH_SIGN_OF_LIFE_MS,
  compactedError,
  coordinatorContracts,
  decodeWatchFrame,
  openFrame,
  refusalOf,
  subjects,
  watchInbox,
} from '@ringleader/contracts';
import type { RequestOf, ResponseOf, Speaker, WatchFrame, WatchedEvent } from '@ringleader/contracts';
import type { ControlClient, ControlOutcome, NatsLink, Subscription } from '@ringleader/nats';
import { backOffMs, jittered, type MemberId } from '@ringleader/primitives';

type Contract = typeof coordinatorContracts.watchStream;
type Said = RequestOf<Contract>;
type Outcome = ControlOutcome<ResponseOf<Contract>>;

export type WatchOptions = Omit<NonNullable<Said['add']>[number], 'id'>;

/** Called one after the other, never from inside of `watch`. */
export interface WatchListener {
  /** `revision`: that of the last event. */
  onEvents(events: readonly WatchedEvent[], revision: number): void;
  /** Nothing up to this revision is missing. Every few seconds, and when it was asked for. */
  onProgress?(revision: number): void;
  /** The watch has ended: COMPACTED (the next one must begin behind the compacted revision), or refused. */
  onEnd?(error: OperationalError): void;
  /** It was interrupted, or nobody serves it just now; it goes on by itself. */
  onTrouble?(error: OperationalError): void;
}

export interface WatchHandle {
  /** Its listener is not called any more. */
  cancel(): void;
  /** Asks for `onProgress`, which comes when this watch and all others of the client have been sent everything. */
  requestProgress(): void;
}

export interface WatchClientOptions {
  readonly link: {
    readonly subscribe: NatsLink['subscribe'];
    readonly frames: Pick<NatsLink['frames'], 'refuse'>;
    readonly hear: NatsLink['hear'];
  };
  readonly control: Pick<ControlClient, 'call'>;
  readonly cluster: string;
  readonly speaker: Speaker;
  readonly members: readonly MemberId[];
  /** Where a client that has no stream begins. */
  readonly firstMember: () => MemberId;
  /** False where the member's process has ended: that is known at once, and silence takes seconds. Absent: silence alone tells. */
  readonly isThere?: (member: MemberId) => Promise<boolean>;
}

/** A member whose stream is silent for so many signs of life is taken for dead or cut off. Counted, so that a pause of this process is no silence. */
const SILENT_TICKS_MAX = 2;
/** So often it is asked whether the member is there at all. */
const PRESENCE_INTERVAL_MS = 500;
/** Having said nothing for so long, the client says that it is there: three times before the member would forget it. */
const QUIET_TICKS_MAX = 3;
/** Of the member's window: so much is received before the client says so. */
const SAID_SHARE = 1 / 16;
const SAY_TIMEOUT_MS = 2_000;
const FAREWELL_TIMEOUT_MS = 250;
const PAUSE = { firstMs: 40, maxMs: 1_000 } as const;

class Watch {
  /** The first revision that the listener has not seen. */
  next: number;
  /** What has come of a revision that may not be whole yet. */
  held: WatchedEvent[] = [];
  /** Frames from this number on know of it. */
  coveredFrom = Number.POSITIVE_INFINITY;
  isActive = true;

  constructor(
    readonly id: number,
    readonly options: WatchOptions,
    readonly listener: WatchListener,
  ) {
    this.next = options.fromRevision;
  }

  hold(event: WatchedEvent): void {
    if (event.item.modRevision >= this.next) this.held.push(event);
  }

  /** Hands over what is whole. */
  release(isPartial: boolean): void {
    const last = this.held.at(-1)?.item.modRevision ?? 0;
    const isWhole = ({ item }: WatchedEvent): boolean => !isPartial || item.modRevision < last;
    const whole = this.held.filter(isWhole);
    const revision = whole.at(-1)?.item.modRevision;
    if (revision === undefined) return;
    this.held = this.held.slice(whole.length);
    this.next = revision + 1;
    this.listener.onEvents(whole, revision);
  }

  synced(revision: number): void {
    this.next = Math.max(this.next, revision + 1);
  }
}

/** One stream at one member, from its opening to its end. */
interface Session {
  readonly stream: string;
  readonly member: MemberId;
  readonly subscription: Subscription;
  isOpen: boolean;
  /** The member may have it. */
  mayExist: boolean;
  lastNumber: number;
  /** The newest frame that said up to where everything was sent. */
  synced: { readonly revision: number; readonly number: number };
  readonly holding: Set<Watch>;
  silentTicks: number;
  quietTicks: number;
  bytesUnsaid: number;
  bytesUnsaidMax: number;
  toAdd: Watch[];
  /** So many are added at once: fewer after a request that was refused, until it is known which of them was the reason. */
  addedMax: number;
  toCancel: number[];
  isSaying: boolean;
}

export class WatchClient {
  readonly #watches = new Map<number, Watch>();
  #lastId = 0;
  #session: Session | null = null;
  #ticker: NodeJS.Timeout | null = null;
  #presence: NodeJS.Timeout | null = null;
  #opening: NodeJS.Timeout | null = null;
  /** Since anything was heard. */
  #failures = 0;
  #member: MemberId | null = null;
  #wantsProgress = false;
  #isClosed = false;

  constructor(private readonly options: WatchClientOptions) {}

  watch(options: WatchOptions, listener: WatchListener): WatchHandle {
    const watch = new Watch((this.#lastId += 1), options, listener);
    this.#watches.set(watch.id, watch);
    const session = this.#session;
    if (session === null) this.#openSoon(0);
    else {
      session.toAdd.push(watch);
      this.#saySoon(session);
    }
    return { cancel: () => this.#cancel(watch), requestProgress: () => this.#requestProgress() };
  }

  /** Listeners are not called any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const watch of this.#watches.values()) watch.isActive = false;
    this.#watches.clear();
    await this.#end();
  }

  #cancel(watch: Watch): void {
    if (!watch.isActive) return;
    watch.isActive = false;
    this.#watches.delete(watch.id);
    const session = this.#session;
    if (this.#watches.size === 0) void this.#end();
    else if (session !== null) {
      const isUnsaid = session.toAdd.includes(watch);
      session.toAdd = session.toAdd.filter((other) => other !== watch);
      if (!isUnsaid) session.toCancel.push(watch.id);
      this.#saySoon(session);
    }
  }

  #requestProgress(): void {
    this.#wantsProgress = true;
    if (this.#session !== null) this.#saySoon(this.#session);
  }

  /** Nobody watches. */
  async #end(): Promise<void> {
    if (this.#opening !== null) clearTimeout(this.#opening);
    this.#opening = null;
    if (this.#ticker !== null) clearInterval(this.#ticker);
    this.#ticker = null;
    if (this.#presence !== null) clearInterval(this.#presence);
    this.#presence = null;
    const session = this.#session;
    this.#session = null;
    if (session !== null) await this.#leave(session);
  }

  /** The member forgets the stream sooner than it would by itself; whether it hears of it is of no concern. */
  async #leave(session: Session): Promise<void> {
    session.subscription.unsubscribe();
    if (!session.mayExist) return;
    await this.#call(session, { stream: session.stream, received: 0, isClosed: true }, FAREWELL_TIMEOUT_MS);
  }

  #openSoon(waitMs: number): void {
    if (this.#isClosed || this.#watches.size === 0) return;
    this.#opening ??= setTimeout(() => {
      this.#opening = null;
      this.#open();
    }, waitMs);
  }

  #open(): void {
    const { link, cluster, speaker, firstMember } = this.options;
    const member = (this.#member ??= firstMember());
    const stream = crypto.randomUUID().replaceAll('-', '');
    const subscription = link.subscribe(watchInbox(cluster, speaker, stream), {
      callback: (error, message) => {
        if (error === null) link.hear(message.subject);
        if (session !== this.#session) return;
        if (error === null) this.#receive(session, message.data);
        else this.#lose(session, interrupted('The inbox of the watches is closed', { cause: error.message }));
      },
    });
    const session: Session = {
      ...{
        stream,
        member,
        subscription,
        isOpen: false,
        mayExist: false,
        lastNumber: 0,
        synced: { revision: 0, number: 0 },
      },
      ...{
        silentTicks: 0,
        quietTicks: 0,
        bytesUnsaid: 0,
        bytesUnsaidMax: Number.POSITIVE_INFINITY,
        toAdd: [...this.#watches.values()],
        addedMax: WATCHES_ADDED_MAX,
        toCancel: [],
      },
      ...{ holding: new Set<Watch>(), isSaying: false },
    };
    this.#session = session;
    this.#ticker ??= setInterval(() => this.#tick(), WATCH_SIGN_OF_LIFE_MS);
    this.#presence ??= setInterval(() => void this.#lookForMember(), PRESENCE_INTERVAL_MS);
    void this.#say(session);
  }

  #tick(): void {
    const session = this.#session;
    if (session === null) return;
    session.silentTicks += 1;
    session.quietTicks += 1;
    if (session.silentTicks > SILENT_TICKS_MAX) {
      const details = { member: session.member };
      this.#lose(session, interrupted('A coordinator has said nothing for too long', details));
    } else if (session.quietTicks >= QUIET_TICKS_MAX) void this.#say(session);
  }

  /** Only of one that has answered: before, the request tells. */
  async #lookForMember(): Promise<void> {
    const session = this.#session;
    const { isThere } = this.options;
    if (session?.isOpen !== true || isThere === undefined || (await isThere(session.member))) return;
    this.#lose(session, interrupted('A coordinator has ended', { member: session.member }));
  }

  /** All that is asked for in one turn goes as one request. */
  #saySoon(session: Session): void {
    queueMicrotask(() => void this.#say(session));
  }

  async #say(session: Session): Promise<void> {
    if (session.isSaying) return;
    session.isSaying = true;
    while (session === this.#session && this.#hasToSay(session)) {
      const added = session.toAdd.splice(0, session.addedMax);
      const request = this.#request(session, added);
      const outcome = await this.#call(session, request, SAY_TIMEOUT_MS);
      if (session !== this.#session) break;
      if (outcome.kind === 'answered') {
        session.isOpen = true;
        session.bytesUnsaidMax = SAID_SHARE * outcome.response.windowBytes;
        session.addedMax = Math.min(2 * session.addedMax, WATCHES_ADDED_MAX);
        for (const watch of added) watch.coveredFrom = outcome.response.sent + 1;
      } else if (outcome.error.entry.retry === 'never' && added.length > 0) {
        this.#takeBack(session, request);
        this.#isolate(session, added, outcome.error);
      } else {
        session.mayExist = session.isOpen || outcome.error.code === 'DEADLINE_EXCEEDED';
        this.#lose(session, outcome.error);
      }
    }
    session.isSaying = false;
  }

  /** What was refused has done nothing: neither has the rest of it. */
  #takeBack(session: Session, { cancel = [], wantsProgress = false }: Said): void {
    session.toCancel.unshift(...cancel);
    this.#wantsProgress ||= wantsProgress;
  }

  /** One of them was refused, and the others with it: they are added again, in smaller parts, until it is alone. */
  #isolate(session: Session, added: readonly Watch[], error: OperationalError): void {
    session.addedMax = Math.max(1, added.length >>> 1);
    const [first] = added;
    if (added.length === 1 && first !== undefined) this.#endWatch(first, error);
    else session.toAdd.unshift(...added.filter(({ isActive }) => isActive));
  }

  #hasToSay({ isOpen, toAdd, toCancel, quietTicks, bytesUnsaid, bytesUnsaidMax }: Session): boolean {
    const isDue = quietTicks >= QUIET_TICKS_MAX || bytesUnsaid >= bytesUnsaidMax;
    return !isOpen || isDue || this.#wantsProgress || toAdd.length + toCancel.length > 0;
  }

  /** What there is to say, which is said with it. */
  #request(session: Session, added: readonly Watch[]): Said {
    const { stream, isOpen, lastNumber: received } = session;
    const cancel = session.toCancel.splice(0, WATCHES_PER_STREAM_MAX);
    session.mayExist = true;
    const wantsProgress = this.#wantsProgress;
    this.#wantsProgress = false;
    session.quietTicks = 0;
    session.bytesUnsaid = 0;
    return {
      ...{ stream, received, wantsProgress, cancel, isNew: !isOpen },
      add: added.map(({ id, options, next }) => ({ ...options, id, fromRevision: next })),
    };
  }

  #call(session: Session, request: Said, timeoutMs: number): Promise<Outcome> {
    const { control, cluster, speaker } = this.options;
    const contract = coordinatorContracts.watchStream;
    const subject = subjects.ask.from(cluster, speaker, session.member, contract.operation);
    return control.call(contract, subject, request, { timeoutMs });
  }

  #receive(session: Session, data: Uint8Array): void {
    const { frames } = this.options.link;
    const opened = openFrame(data);
    // What is dropped here is missed at the next frame.
    if (opened.kind === 'refused') return frames.refuse('watch', opened.refusal);
    const frame = decodeWatchFrame(opened.content);
    if (frame.kind === 'malformed') return frames.refuse('watch', refusalOf(frame));
    const expected = session.lastNumber + 1;
    if (frame.number < expected) return;
    if (frame.number > expected) {
      const details = { member: session.member, expected, number: frame.number };
      return this.#lose(session, interrupted('Frames of the watches were lost', details));
    }
    session.lastNumber = frame.number;
    session.silentTicks = 0;
    this.#failures = 0;
    session.bytesUnsaid += data.length;
    this.#take(session, frame);
    if (this.#hasToSay(session)) this.#saySoon(session);
  }

  #take(session: Session, frame: WatchFrame): void {
    const { holding } = session;
    for (const { watches, event } of frame.records) {
      for (const id of watches) {
        const watch = this.#watches.get(id);
        if (watch === undefined) continue;
        watch.hold(event);
        holding.add(watch);
      }
    }
    const partial = new Set(frame.partial);
    for (const watch of holding) {
      const isPartial = partial.has(watch.id);
      if (!isPartial) holding.delete(watch);
      if (watch.isActive) watch.release(isPartial);
    }
    for (const { id, compactedRevision } of frame.cancelled) {
      const watch = this.#watches.get(id);
      if (watch !== undefined) this.#endWatch(watch, compactedError(watch.next, compactedRevision));
    }
    if (frame.syncedRevision > 0) this.#progress(session, frame);
    if (frame.isLast) {
      const details = { member: session.member };
      this.#lose(session, interrupted('A coordinator serves no watches at present', details));
    }
  }

  #progress(session: Session, { number, syncedRevision, isSign }: WatchFrame): void {
    session.synced = { revision: syncedRevision, number };
    if (!isSign) return;
    for (const watch of this.#watches.values()) {
      // A member that is behind may be synced and not have got to where another has been.
      if (watch.coveredFrom > number || watch.next > syncedRevision + 1) continue;
      watch.synced(syncedRevision);
      watch.listener.onProgress?.(syncedRevision);
    }
  }

  #endWatch(watch: Watch, error: OperationalError): void {
    if (!watch.isActive) return;
    watch.isActive = false;
    this.#watches.delete(watch.id);
    if (this.#watches.size === 0) void this.#end();
    watch.listener.onEnd?.(error);
  }

  /** All go on at the next member, from where they stand. */
  #lose(session: Session, error: OperationalError): void {
    if (session !== this.#session) return;
    this.#session = null;
    void this.#leave(session);
    const { members } = this.options;
    this.#member = members[(members.indexOf(session.member) + 1) % members.length] ?? session.member;
    this.#failures += 1;
    const isRound = this.#failures % members.length === 0;
    this.#openSoon(isRound ? jittered(backOffMs(PAUSE, this.#failures / members.length), Math.random()) : 0);
    const { revision, number } = session.synced;
    for (const watch of this.#watches.values()) {
      if (watch.coveredFrom <= number) watch.synced(revision);
      watch.coveredFrom = Number.POSITIVE_INFINITY;
      watch.held = [];
    }
    // That one member of several has no stream for it yet is no trouble.
    if (!session.isOpen && !isRound) return;
    for (const watch of [...this.#watches.values()]) if (watch.isActive) watch.listener.onTrouble?.(error);
  }
}

function interrupted(message: string, details: Readonly<Record<string, unknown>>): OperationalError {
  return new OperationalError('UNAVAILABLE', message, details);
}
