/** Time that passes only when a test says so. */
import type { Scheduler } from '../../src/routing/shard-channel.js';

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

/** Any instant would do. */
const WALL_START_MS = 1_790_000_000_000;

export class ManualScheduler implements Scheduler {
  now = 0;
  private ready: (() => void)[] = [];
  private timers: Timer[] = [];

  readonly monotonicMs = (): number => this.now;

  readonly wallMs = (): number => WALL_START_MS + this.now;

  readonly soon = (task: () => void): void => {
    this.ready.push(task);
  };

  readonly after = (delayMs: number, task: () => void): void => {
    this.timers.push({ at: this.now + delayMs, task });
  };

  /** Everything that is ready, and what becomes ready by it. */
  settle(): void {
    for (let task = this.ready.shift(); task !== undefined; task = this.ready.shift()) task();
  }

  advance(ms: number): void {
    const until = this.now + ms;
    this.settle();
    for (;;) {
      const next = this.timers.reduce<Timer | null>(
        (best, each) => (best === null || each.at < best.at ? each : best),
        null,
      );
      if (next === null || next.at > until) break;
      this.timers = this.timers.filter((each) => each !== next);
      this.now = Math.max(this.now, next.at);
      next.task();
      this.settle();
    }
    this.now = until;
  }
}
