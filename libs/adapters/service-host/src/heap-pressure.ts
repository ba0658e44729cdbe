/**
 * Whether this process has so little of its heap left that taking on more work would end it: V8 ends a process whose heap
 * is full, with all that is under way. Told by what the last full collection could not free; garbage is no pressure.
 */
import { PerformanceObserver, constants } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Registry, ReadFigures, systemClock } from '@ringleader/observability';

/** V8's limit counts in what is kept for new objects, which is up to a sixth of it: this is five sixths of the rest. */
const HIGH_SHARE = 0.7;
/** While nothing is taken on, nothing may fill the heap so far that V8 collects by itself. */
const COLLECT_INTERVAL_MS = 1_000;

export interface Heap {
  /** Calls back after each full collection. */
  onCollected(listener: () => void): void;
  usedBytes(): number;
  readonly limitBytes: number;
  /** Begins a full collection. */
  collect(): void;
}

/** Pure bookkeeping. */
export class HeapWatch {
  private isFull = false;
  private collectedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly heap: Heap,
    private readonly nowMs: () => number,
  ) {
    heap.onCollected(() => {
      this.isFull = heap.usedBytes() > heap.limitBytes * HIGH_SHARE;
    });
  }

  /** Work that is refused now is refused early: nothing was done. */
  isHigh(): boolean {
    if (!this.isFull) return false;
    const now = this.nowMs();
    if (now - this.collectedAt >= COLLECT_INTERVAL_MS) {
      this.collectedAt = now;
      this.heap.collect();
    }
    return this.isFull;
  }
}

@Injectable()
export class HeapPressure implements OnApplicationShutdown {
  private readonly observers: PerformanceObserver[] = [];
  private readonly watch: HeapWatch;
  private refused = 0;

  constructor(registry: Registry) {
    this.watch = new HeapWatch(
      {
        onCollected: (listener) => this.observe(listener),
        usedBytes: () => getHeapStatistics().used_heap_size,
        limitBytes: getHeapStatistics().heap_size_limit,
        collect,
      },
      () => systemClock.monotonicMs(),
    );
    const figures = new ReadFigures(registry, 'ringleader_process_');
    figures.counter(
      'memory_refused_total',
      'Requests refused because the heap was nearly full',
      () => this.refused,
    );
  }

  readonly isHigh = (): boolean => {
    const high = this.watch.isHigh();
    if (high) this.refused += 1;
    return high;
  };

  onApplicationShutdown(): void {
    for (const observer of this.observers) observer.disconnect();
  }

  private observe(listener: () => void): void {
    const observer = new PerformanceObserver((list) => {
      const isFullOne = (entry: object): boolean =>
        'detail' in entry &&
        (entry.detail as { kind?: number } | undefined)?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
      if (list.getEntries().some(isFullOne)) listener();
    });
    observer.observe({ entryTypes: ['gc'] });
    this.observers.push(observer);
  }
}

let gc: (() => void) | null = null;

function collect(): void {
  if (gc === null) {
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as () => void;
  }
  gc();
}
