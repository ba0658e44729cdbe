/**
 * Pushes watches from one member, over what the core gives for that: pages of history until a watch is synced, and from then on
 * each change to whom the index says it concerns. Frames of a stream are numbered: a client that misses one comes again.
 */
import { type StoreRevision, type WatchEvent, type WatchPosition, WatcherIndex } from '@ringleader/mvcc';
import type { Host, NodeId } from '@ringleader/testing-simulation';
import type { ReplicatedStore } from '../replicated-store.js';
import type { Frame, SimMessage, Watched } from '../sim-messages.js';
import type { DataRules } from './data-rules.js';

const signEveryMs = 40;
const page = { eventsMax: 3, sizeBytesMax: 200 };

interface Stream extends Watched {
  readonly id: number;
  readonly client: NodeId;
  next: WatchPosition;
  sent: number;
}

export class Pusher {
  readonly #host: Host<SimMessage>;
  readonly #store: ReplicatedStore;
  readonly #rules: DataRules;
  readonly #streams = new Map<NodeId, Map<number, Stream>>();
  readonly #index = new WatcherIndex<Stream>();
  /** Up to where followers have been told of all. */
  #seen: StoreRevision;

  constructor(host: Host<SimMessage>, store: ReplicatedStore, rules: DataRules) {
    this.#host = host;
    this.#store = store;
    this.#rules = rules;
    this.#seen = store.store.revision;
    this.#signFromNowOn();
  }

  follow(client: NodeId, id: number, watched: Watched, from: WatchPosition): void {
    const stream = { ...watched, id, client, next: from, sent: 0 };
    const streams = this.#streams.get(client) ?? new Map<number, Stream>();
    this.#streams.set(client, streams.set(id, stream));
    this.#catchUp(stream);
  }

  leave(client: NodeId, id: number): void {
    const stream = this.#streams.get(client)?.get(id);
    if (stream === undefined) return;
    this.#streams.get(client)?.delete(id);
    this.#index.delete(stream);
  }

  /** After each entry: later its revision might be compacted. */
  advance(): void {
    const { store } = this.#store;
    for (; this.#seen < store.revision; this.#seen += 1) this.#show(this.#seen + 1);
  }

  /** The store is another one. */
  restored(): void {
    const before = this.#seen;
    this.#seen = this.#store.store.revision;
    if (!this.#rules.looksBackAfterRestore()) return;
    for (const stream of this.#all()) {
      if (!this.#index.delete(stream)) continue;
      if (stream.next.revision <= before) stream.next = { revision: before + 1, skip: 0 };
      this.#catchUp(stream);
    }
  }

  #catchUp(stream: Stream): void {
    for (;;) {
      const outcome = this.#store.store.watch({ ...stream, ...page, from: stream.next });
      if (outcome.kind === 'compacted') {
        this.#push(stream, { compacted: outcome.compactedRevision });
        this.leave(stream.client, stream.id);
        return;
      }
      stream.next = outcome.next;
      if (outcome.events.length > 0) this.#push(stream, { events: outcome.events });
      if (outcome.isSynced) break;
    }
    // Who has seen a part of a revision that is not here yet comes again by and by.
    if (stream.next.skip === 0) this.#index.add(stream);
    else this.leave(stream.client, stream.id);
  }

  #show(revision: StoreRevision): void {
    const given = new Map<Stream, WatchEvent[]>();
    for (const change of this.#store.store.changesAt(revision)) {
      this.#index.visit(change.key, (stream) => {
        if (revision < stream.next.revision) return;
        if ((change.kind === 'put' ? stream.noPuts : stream.noDeletes) === true) return;
        const events = given.get(stream) ?? [];
        events.push(change.event(stream.wantsPrevious === true));
        given.set(stream, events);
      });
    }
    for (const [stream, events] of given) {
      stream.next = { revision: revision + 1, skip: 0 };
      this.#push(stream, { events });
    }
  }

  #signFromNowOn(): void {
    this.#host.after(signEveryMs, () => {
      this.#signFromNowOn();
      for (const stream of this.#all()) {
        if (stream.next.revision <= this.#seen) stream.next = { revision: this.#seen + 1, skip: 0 };
        this.#push(stream, { progress: this.#seen });
      }
    });
  }

  #push(stream: Stream, content: Partial<Frame>): void {
    stream.sent += 1;
    const { sent: number, next, id } = stream;
    const frame = { events: [], progress: null, compacted: null, ...content, number, next };
    this.#host.send(stream.client, { kind: 'pushed', stream: id, frame });
  }

  *#all(): Generator<Stream, void> {
    for (const streams of this.#streams.values()) yield* [...streams.values()];
  }
}
