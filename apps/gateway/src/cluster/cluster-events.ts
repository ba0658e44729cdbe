/**
 * The cluster as it changes, for many who look at it: what there is to see is put together once a second for all of them,
 * and only while somebody looks. Every event is the whole state of its kind, so whoever reads slowly gets the newest one, and
 * nothing gathers for him.
 */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { OperationalError } from '@ringleader/contracts';

/** What is told, by the name of its event. Null: nothing is known at present. */
export type EventSources = Readonly<Record<'cluster' | 'moves' | 'load', () => object | null>>;

export interface ClusterEventsOptions {
  readonly sources: EventSources;
  readonly streamsMax?: number;
  readonly clientStreamsMax?: number;
  readonly intervalMs?: number;
  readonly heartbeatMs?: number;
}

const STREAMS_MAX = 256;
const CLIENT_STREAMS_MAX = 64;
const INTERVAL_MS = 1_000;
const HEARTBEAT_MS = 10_000;
/** Whoever has so much unread gets no more until he has read it. */
const UNREAD_BYTES_MAX = 65_536;
/** How long a client is to wait before it comes back. */
const RETRY_MS = 1_000;

interface Told {
  readonly kind: string;
  readonly data: string;
  /** Counts the changes of all kinds. */
  readonly sequence: number;
}

interface Stream {
  readonly client: string;
  readonly readable: Readable;
  /** The newest event that it was given. */
  sequence: number;
  lastAt: number;
}

export class ClusterEvents {
  /** Ids of another process say nothing here. */
  private readonly process = randomBytes(6).toString('base64url');
  private readonly told = new Map<string, Told>();
  private readonly streams = new Set<Stream>();
  private sequence = 0;
  private timer: NodeJS.Timeout | null = null;
  private isClosed = false;

  constructor(private readonly options: ClusterEventsOptions) {}

  get open(): number {
    return this.streams.size;
  }

  /** `lastEventId`: what the client has got already. */
  stream(client: string, lastEventId: string | undefined): Readable {
    this.refuse(client);
    const readable = new Readable({ read: () => undefined, highWaterMark: UNREAD_BYTES_MAX });
    const stream = { client, readable, sequence: this.sequenceOf(lastEventId), lastAt: performance.now() };
    this.streams.add(stream);
    readable.once('close', () => this.leave(stream));
    readable.push(`retry: ${RETRY_MS}\n\n`);
    // The first to come finds nothing that was looked at lately.
    if (this.timer === null) {
      this.look();
      this.timer = setInterval(() => this.tick(), this.options.intervalMs ?? INTERVAL_MS);
    }
    this.tell(stream);
    return readable;
  }

  /** Everybody is to come back, to another gateway perhaps. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.timer !== null) clearInterval(this.timer);
    for (const { readable } of this.streams) {
      readable.push(this.frame('RECONNECT', this.sequence, '{"reason":"the gateway stops"}'));
      readable.push(null);
    }
  }

  private refuse(client: string): void {
    if (this.isClosed) throw new OperationalError('UNAVAILABLE', 'This gateway stops; ask another one');
    const { streamsMax = STREAMS_MAX, clientStreamsMax = CLIENT_STREAMS_MAX } = this.options;
    if (this.streams.size >= streamsMax) {
      throw new OperationalError(
        'OVERLOADED',
        `This gateway has ${streamsMax} streams of events open already`,
      );
    }
    const ofClient = [...this.streams].filter((stream) => stream.client === client).length;
    if (ofClient < clientStreamsMax) return;
    const detail = `One client address may have ${clientStreamsMax} streams of events open at once`;
    throw new OperationalError('RATE_LIMITED', detail, { requestsMax: clientStreamsMax });
  }

  /** 0: everything is news. */
  private sequenceOf(lastEventId: string | undefined): number {
    const [process, sequence] = lastEventId?.split('.') ?? [];
    const number = process === this.process && /^\d{1,15}$/.test(sequence ?? '') ? Number(sequence) : 0;
    return number <= this.sequence ? number : 0;
  }

  private leave(stream: Stream): void {
    this.streams.delete(stream);
    if (this.streams.size > 0 || this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
  }

  private tick(): void {
    this.look();
    for (const stream of this.streams) this.tell(stream);
  }

  private look(): void {
    for (const [kind, source] of Object.entries(this.options.sources)) {
      const state = source();
      // Who comes now must not take for the present what was so when somebody knew.
      if (state === null) this.told.delete(kind);
      if (state === null) continue;
      const data = JSON.stringify(state);
      if (data === this.told.get(kind)?.data) continue;
      this.sequence += 1;
      this.told.set(kind, { kind, data, sequence: this.sequence });
    }
  }

  private tell(stream: Stream): void {
    const { readable } = stream;
    if (this.isClosed || readable.readableLength > UNREAD_BYTES_MAX) return;
    const now = performance.now();
    // In the order of their ids: whoever has got one has got all before it.
    const news = [...this.told.values()]
      .filter(({ sequence }) => sequence > stream.sequence)
      .sort((a, b) => a.sequence - b.sequence);
    for (const { kind, data, sequence } of news) readable.push(this.frame(kind, sequence, data));
    const { heartbeatMs = HEARTBEAT_MS } = this.options;
    if (news.length === 0 && now - stream.lastAt < heartbeatMs) return;
    if (news.length === 0) {
      const at = new Date().toISOString();
      readable.push(this.frame('heartbeat', this.sequence, JSON.stringify({ at })));
    }
    stream.sequence = this.sequence;
    stream.lastAt = now;
  }

  private frame(kind: string, sequence: number, data: string): string {
    return `event: ${kind}\nid: ${this.process}.${sequence}\ndata: ${data}\n\n`;
  }
}
