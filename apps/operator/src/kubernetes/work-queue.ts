/**
 * What is to be looked at, by key: never twice at once, at most so many at once, and what came meanwhile once more afterwards.
 * Who fails waits longer each time; news do not wait for it, but the back-off goes on until it succeeds.
 */
import { backOffMs, jittered } from '@ringleader/primitives';
import PQueue from 'p-queue';

export interface WorkQueueOptions {
  /** Answers when to look again though nothing is heard; null: not by itself. */
  readonly work: (key: string) => Promise<number | null>;
  readonly onFailure: (key: string, error: unknown, failures: number) => void;
  readonly concurrency: number;
}

interface Item {
  state: 'idle' | 'queued' | 'running' | 'running-and-wanted';
  failures: number;
  /** When it may run again; of those that failed. */
  notBeforeMs: number;
  timer: NodeJS.Timeout | null;
  /** When the timer rings. */
  dueAtMs: number;
}

const BACK_OFF = { firstMs: 500, maxMs: 60_000 } as const;
/** News come in bursts. */
const GATHER_MS = 100;
/** News let those that failed try again sooner than the back-off says, but not as often as they come. */
const AFTER_FAILURE_MIN_MS = 2_000;

export class WorkQueue {
  readonly #items = new Map<string, Item>();
  readonly #queue: PQueue;
  #isStopped = false;

  constructor(private readonly options: WorkQueueOptions) {
    this.#queue = new PQueue({ concurrency: options.concurrency });
  }

  /** As soon as possible. */
  add(key: string): void {
    const item = this.#items.get(key) ?? this.#fresh(key);
    if (item.state === 'running') item.state = 'running-and-wanted';
    else if (item.state === 'idle') this.#wake(key, item, GATHER_MS);
  }

  forget(key: string): void {
    clearTimeout(this.#items.get(key)?.timer ?? undefined);
    this.#items.delete(key);
  }

  /** What runs ends; nothing begins any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const key of [...this.#items.keys()]) this.forget(key);
    this.#queue.clear();
    await this.#queue.onIdle();
  }

  #fresh(key: string): Item {
    const item: Item = { state: 'idle', failures: 0, notBeforeMs: 0, timer: null, dueAtMs: Infinity };
    this.#items.set(key, item);
    return item;
  }

  #wake(key: string, item: Item, afterMs: number): void {
    if (this.#isStopped) return;
    const now = performance.now();
    const dueAtMs = Math.max(now + afterMs, item.notBeforeMs);
    if (item.timer !== null) {
      if (item.dueAtMs <= dueAtMs) return;
      clearTimeout(item.timer);
    }
    item.dueAtMs = dueAtMs;
    item.timer = setTimeout(() => this.#enqueue(key, item), dueAtMs - now);
  }

  #enqueue(key: string, item: Item): void {
    item.timer = null;
    item.dueAtMs = Infinity;
    item.state = 'queued';
    void this.#queue.add(() => this.#run(key, item));
  }

  async #run(key: string, item: Item): Promise<void> {
    if (this.#items.get(key) !== item) return;
    item.state = 'running';
    let againMs: number | null;
    try {
      againMs = await this.options.work(key);
      item.failures = 0;
      item.notBeforeMs = 0;
    } catch (error) {
      item.failures += 1;
      againMs = jittered(backOffMs(BACK_OFF, item.failures), Math.random());
      item.notBeforeMs = performance.now() + Math.min(againMs, AFTER_FAILURE_MIN_MS);
      this.options.onFailure(key, error, item.failures);
    }
    if (this.#items.get(key) !== item) return;
    // It may have been wanted while it ran.
    const isWanted = (item.state as Item['state']) === 'running-and-wanted';
    item.state = 'idle';
    if (isWanted) this.#wake(key, item, GATHER_MS);
    else if (againMs !== null) this.#wake(key, item, againMs);
  }
}
