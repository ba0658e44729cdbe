/** How much this gateway had to do in the last minutes, for whoever comes to look at it later. */
import type { LoadHistoryView } from '@ringleader/contracts';
import type { RecentDurations } from '../health/http-metrics.js';
import { requestsBetween } from './event-sources.js';

export interface LoadHistoryOptions {
  readonly durations: RecentDurations;
  readonly intervalMs?: number;
}

const INTERVAL_MS = 5_000;
/** Ten minutes. */
const POINTS = 120;

export class LoadHistory {
  private readonly points: LoadHistoryView['items'] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly options: LoadHistoryOptions) {}

  /** The oldest first. */
  get items(): LoadHistoryView['items'] {
    return [...this.points];
  }

  start(): void {
    const { durations, intervalMs = INTERVAL_MS } = this.options;
    const look = () => ({ at: performance.now(), counts: durations.snapshot() });
    let before = look();
    this.timer = setInterval(() => {
      const now = look();
      this.points.push({ at: new Date().toISOString(), ...requestsBetween(before, now) });
      if (this.points.length > POINTS) this.points.shift();
      before = now;
    }, intervalMs);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }
}
