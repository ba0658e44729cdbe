/**
 * A copy of all keys below a prefix, kept up to date: a list, then a watch from the revision after it. Whoever reads the
 * copy sees whole revisions only, in order; after a gap that the watch cannot bridge (COMPACTED) the list is taken again
 * and the difference is reported as one change.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { OperationalError, keyAfter, prefixRange } from '@ringleader/contracts';
import type { KeyValue, WatchedEvent, WatchedItem } from '@ringleader/contracts';
import { type Clock, type MonotonicMs, isUtf8, jittered } from '@ringleader/primitives';
import type { Coordinator } from './coordination-client.js';

/** All that changed between two revisions of the mirror. A key stands in one of both lists, once. */
export interface MirrorChange {
  readonly revision: number;
  readonly puts: readonly KeyValue[];
  /** Keys that are gone. */
  readonly deletes: readonly string[];
}

export interface PrefixMirrorOptions {
  readonly client: Coordinator;
  readonly clock: Clock;
  readonly prefix: string;
  /** Called after the copy has changed, never for an empty change. The first one is the first list. */
  readonly onChange?: (change: MirrorChange) => void;
  /** Told of every failure to list or watch; the mirror tries again by itself. */
  readonly onTrouble?: (error: OperationalError) => void;
}

const RETRY_MS = 250;
/** What a watch left out, or a revision that never was, would else be believed for ever. Half of it is by lot: processes that started together do not list together. */
const LIST_AGAIN_MS = 300_000;
/** Where nobody serves a watch for so long, but lists (as coordinators of the version before this one do). */
const LIST_UNWATCHED_MS = 10_000;

export class PrefixMirror {
  #items = new Map<string, KeyValue>();
  #revision = 0;
  #lastConfirmed: MonotonicMs | null = null;
  #isStopped = false;
  #firstList: PromiseWithResolvers<void> = Promise.withResolvers();
  #endWatch: () => void = () => undefined;

  constructor(private readonly options: PrefixMirrorOptions) {}

  /** The copy, by key. Not to be kept: it changes. */
  get items(): ReadonlyMap<string, KeyValue> {
    return this.#items;
  }

  /** All changes up to this revision of the store are in the copy. 0 before the first list. */
  get revision(): number {
    return this.#revision;
  }

  /** How long ago a coordinator last said that nothing was missing there; null before the first list. */
  stalenessMs(): number | null {
    return this.#lastConfirmed === null ? null : this.options.clock.monotonicMs() - this.#lastConfirmed;
  }

  /** Starts; settles once the first list is complete, however long that takes. */
  start(): Promise<void> {
    void this.#run();
    return this.#firstList.promise;
  }

  /** No more changes are reported from now on. */
  stop(): void {
    this.#isStopped = true;
    this.#endWatch();
    this.#firstList.resolve();
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#list();
        await this.#watch();
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        if (this.#isStopped) return;
        this.options.onTrouble?.(error);
        if (error.code !== 'COMPACTED') await pause(RETRY_MS);
      }
    }
  }

  /** All pages at the revision of the first. */
  async #list(): Promise<void> {
    const range = prefixRange(this.options.prefix);
    const startedAt = this.options.clock.monotonicMs();
    const listed = new Map<string, KeyValue>();
    let page = await this.options.client.range(range);
    const { revision } = page;
    for (;;) {
      for (const item of page.items) listed.set(item.key, item);
      const last = page.items.at(-1);
      if (!page.more || last === undefined) break;
      page = await this.options.client.range({ ...range, key: keyAfter(last.key), revision });
    }
    if (this.#isStopped) return;
    const puts = [...listed.values()].filter(
      ({ key, modRevision }) => this.#items.get(key)?.modRevision !== modRevision,
    );
    const deletes = [...this.#items.keys()].filter((key) => !listed.has(key));
    this.#items = listed;
    this.#advance(revision, startedAt, { revision, puts, deletes });
    this.#firstList.resolve();
  }

  /** Returns when stopped, or when it is time to list again; otherwise ends by an error. */
  async #watch(): Promise<void> {
    const { client, clock, onTrouble } = this.options;
    const listsAgainAt = clock.monotonicMs() + jittered(LIST_AGAIN_MS, Math.random());
    const ended = Promise.withResolvers<void>();
    this.#endWatch = ended.resolve;
    const take = (revision: number, events: readonly WatchedEvent[]): void => {
      try {
        this.#apply(events, revision);
      } catch (error) {
        ended.reject(error);
      }
      if (clock.monotonicMs() >= listsAgainAt) ended.resolve();
    };
    const watch = client.watch(
      { ...prefixRange(this.options.prefix), fromRevision: this.#revision + 1 },
      {
        onEvents: (events, revision) => take(revision, events),
        onProgress: (revision) => take(revision, []),
        onEnd: ended.reject,
        onTrouble: (error) => {
          onTrouble?.(error);
          if ((this.stalenessMs() ?? 0) > LIST_UNWATCHED_MS) ended.resolve();
        },
      },
    );
    try {
      if (!this.#isStopped) await ended.promise;
    } finally {
      watch.cancel();
    }
  }

  #apply(events: readonly WatchedEvent[], revision: number): void {
    const puts = new Map<string, KeyValue>();
    const deletes = new Set<string>();
    for (const { kind, item } of events) {
      if (kind === 'put') {
        const text = toKeyValue(item);
        this.#items.set(item.key, text);
        puts.set(item.key, text);
        deletes.delete(item.key);
      } else {
        this.#items.delete(item.key);
        puts.delete(item.key);
        deletes.add(item.key);
      }
    }
    const change = { revision, puts: [...puts.values()], deletes: [...deletes] };
    this.#advance(revision, this.options.clock.monotonicMs(), change);
  }

  #advance(revision: number, confirmedAt: MonotonicMs, change: MirrorChange): void {
    this.#revision = revision;
    this.#lastConfirmed = confirmedAt;
    if (change.puts.length + change.deletes.length > 0) this.options.onChange?.(change);
  }
}

/** A byte order mark is part of the text. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function toKeyValue({ value, ...item }: WatchedItem): KeyValue {
  if (isUtf8(value)) return { ...item, value: utf8.decode(value) };
  return { ...item, value: '', valueBase64: Buffer.from(value).toString('base64') };
}
