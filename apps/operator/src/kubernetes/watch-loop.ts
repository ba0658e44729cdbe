/**
 * Keeps a store up to date: list, watch from there on, and again from the last version heard when the watch ends. What the
 * server has forgotten (410) is listed anew; so is everything every ten minutes, in case something was missed. Any other
 * trouble is waited out. The client's own informer stops at the first 500.
 */
import { backOffMs, jittered } from '@ringleader/primitives';
import type { Logger } from '@ringleader/observability';
import { pauseUnlessAborted } from '@ringleader/timers';
import type { Kind } from './kinds.js';
import type { KubeApi, KubeObject, WatchEvent } from './kube-api.js';
import { KubeError, isExpired } from './kube-error.js';
import type { ObjectStore } from './object-store.js';

export interface WatchLoopOptions {
  readonly api: Pick<KubeApi, 'list' | 'watch'>;
  readonly kind: Kind;
  /** Null: all. */
  readonly namespace: string | null;
  readonly labelSelector?: string;
  readonly store: ObjectStore;
  /** After the store has it. */
  readonly onChange: (object: KubeObject) => void;
  readonly logger: Logger;
}

export const RESYNC_MS = 600_000;
/** After an outage everything is to be in order within a minute. */
const BACK_OFF = { firstMs: 500, maxMs: 8_000 } as const;
const WATCH_SECONDS = 540;

export class WatchLoop {
  readonly #synced = Promise.withResolvers<void>();
  #isSynced = false;
  #version: string | null = null;
  #listedAt = -Infinity;
  #failures = 0;
  #isStarted = false;

  constructor(private readonly options: WatchLoopOptions) {}

  /** Settles once everything was listed. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Runs until it is aborted; once. */
  start(signal: AbortSignal): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    void this.#run(signal);
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#round(signal);
        this.#failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        await this.#takeTrouble(error, signal);
      }
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { api, kind, namespace, labelSelector } = this.options;
    const filter = { namespace, ...(labelSelector !== undefined && { labelSelector }) };
    if (this.#version === null || performance.now() - this.#listedAt >= RESYNC_MS) {
      const { items, resourceVersion } = await api.list(kind, filter);
      this.#listedAt = performance.now();
      this.#version = resourceVersion;
      const named = items.map((item) => ({ ...item, apiVersion: kind.apiVersion, kind: kind.kind }));
      for (const object of this.options.store.replaceAll(named, resourceVersion))
        this.options.onChange(object);
      this.#isSynced = true;
      this.#synced.resolve();
    }
    // A watch ends when it is time for the next list, or that would wait for the end of another.
    const leftMs = RESYNC_MS - (performance.now() - this.#listedAt);
    const timeoutSeconds = Math.max(1, Math.min(WATCH_SECONDS, Math.ceil(leftMs / 1_000)));
    const from = { ...filter, resourceVersion: this.#version, timeoutSeconds };
    const begunAt = performance.now();
    let isHeard = false;
    for await (const event of api.watch(kind, from, signal)) {
      this.#take(event);
      this.#failures = 0;
      isHeard = true;
    }
    // One that ends of age has had bookmarks, or its time.
    if (!isHeard && performance.now() - begunAt < (timeoutSeconds * 1_000) / 2)
      throw new KubeError(0, 'Brief', 'the watch ended without a word, long before its time');
  }

  #take({ type, object }: WatchEvent): void {
    const { store, onChange } = this.options;
    if (type === 'ERROR') {
      const { code, reason, message } = object as unknown as Record<'code' | 'reason' | 'message', unknown>;
      throw new KubeError(Number(code), String(reason), String(message));
    }
    this.#version = object.metadata.resourceVersion;
    if (type === 'BOOKMARK') return;
    const isNews = type === 'DELETED' ? store.delete(object) : store.put(object);
    if (isNews) onChange(object);
  }

  async #takeTrouble(error: unknown, signal: AbortSignal): Promise<void> {
    const { logger, kind } = this.options;
    if (!(error instanceof KubeError)) throw error;
    this.#failures += 1;
    const fields = { kind: kind.kind, failures: this.#failures, error };
    if (isExpired(error)) {
      this.#version = null;
      logger.info(fields, 'The watch is too old: listing again');
      // Unless what was listed a moment ago was too old, too.
      if (this.#failures === 1) return;
    } else logger.warn(fields, 'The watch broke; trying again');
    const waitMs = jittered(backOffMs(BACK_OFF, this.#failures), Math.random());
    await pauseUnlessAborted(waitMs, signal);
  }
}
