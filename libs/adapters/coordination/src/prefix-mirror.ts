/**
 * A copy of all keys below a prefix, kept up to date: a list, then a watch from the revision after it. Whoever reads the
 * copy sees whole revisions only, in order; after a gap that the watch cannot bridge (COMPACTED) the list is taken again
 * and the difference is reported as one change.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { OperationalError, keyAfter, prefixRange } from '@ringleader/contracts';
import type { KeyValue, WatchEvent } from '@ringleader/contracts';
import type { Clock, MonotonicMs } from '@ringleader/primitives';
import type { Coordinator, CoordinatorRequest, CoordinatorResponse } from './coordination-client.js';

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

const WATCH_WAIT_MS = 5_000;
const WATCH_TIMEOUT_MS = 15_000;
const RETRY_MS = 250;
/** What a watch left out, or a revision that never was, would else be believed for ever. */
const LIST_AGAIN_MS = 300_000;

export class PrefixMirror {
  #items = new Map<string, KeyValue>();
  #revision = 0;
  #lastConfirmed: MonotonicMs | null = null;
  #isStopped = false;
  #firstList: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(private readonly options: PrefixMirrorOptions) {}

  /** The copy, by key. Not to be kept: it changes. */
  get items(): ReadonlyMap<string, KeyValue> {
    return this.#items;
  }

  /** All changes up to this revision of the store are in the copy. 0 before the first list. */
  get revision(): number {
    return this.#revision;
  }

  /** How long ago it was last known that nothing was missing; null before the first list. */
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
    const range = prefixRange(this.options.prefix);
    let position = { fromRevision: this.#revision + 1, skip: 0 };
    let pending: WatchEvent[] = [];
    const listsAgainAt = this.options.clock.monotonicMs() + LIST_AGAIN_MS;
    while (!this.#isStopped) {
      const startedAt = this.options.clock.monotonicMs();
      if (startedAt >= listsAgainAt) return;
      const request = { ...range, ...position, waitMs: WATCH_WAIT_MS };
      const answer = await this.#poll(request);
      if (answer === null) continue;
      if (this.#isStopped) return;
      pending.push(...answer.events);
      position = { fromRevision: answer.nextRevision, skip: answer.nextSkip };
      const revision = answer.nextRevision - 1;
      const isWhole = (event: WatchEvent): boolean => event.item.modRevision <= revision;
      this.#apply(pending.filter(isWhole), revision, startedAt);
      pending = pending.filter((event) => !isWhole(event));
    }
  }

  /** Null when nobody could be asked just now: the watch goes on from where it stands. */
  async #poll(request: CoordinatorRequest<'watch'>): Promise<CoordinatorResponse<'watch'> | null> {
    try {
      return await this.options.client.watch(request, { timeoutMs: WATCH_TIMEOUT_MS });
    } catch (error) {
      if (!(error instanceof OperationalError) || error.entry.retry !== 'safe') throw error;
      if (!this.#isStopped) this.options.onTrouble?.(error);
      await pause(RETRY_MS);
      return null;
    }
  }

  #apply(events: readonly WatchEvent[], revision: number, startedAt: MonotonicMs): void {
    const puts = new Map<string, KeyValue>();
    const deletes = new Set<string>();
    for (const { kind, item } of events) {
      if (kind === 'put') {
        this.#items.set(item.key, item);
        puts.set(item.key, item);
        deletes.delete(item.key);
      } else {
        this.#items.delete(item.key);
        puts.delete(item.key);
        deletes.add(item.key);
      }
    }
    this.#advance(revision, startedAt, { revision, puts: [...puts.values()], deletes: [...deletes] });
  }

  #advance(revision: number, confirmedAt: MonotonicMs, change: MirrorChange): void {
    this.#revision = revision;
    this.#lastConfirmed = confirmedAt;
    if (change.puts.length + change.deletes.length > 0) this.options.onChange?.(change);
  }
}
