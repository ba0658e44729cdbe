/**
 * The load figures of this process for its heartbeats: CPU, memory and event-loop lag since the last reading.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Load } from '@ringleader/contracts';

export interface RequestCounters {
  inFlight(): number;
  /** Since the process started. */
  requestsTotal(): number;
}

const NANOSECONDS_PER_MS = 1e6;
const LAG_RESOLUTION_MS = 50;

export class LoadMeter {
  private readonly delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  private lastCpu = process.cpuUsage();
  private lastAtMs = performance.now();
  private lastRequests = 0;

  constructor(private readonly counters: RequestCounters) {
    this.delay.enable();
  }

  read(): Load {
    const nowMs = performance.now();
    const elapsedMs = Math.max(1, nowMs - this.lastAtMs);
    const cpu = process.cpuUsage(this.lastCpu);
    const requests = this.counters.requestsTotal();
    const lagMs = Math.max(0, this.delay.percentile(99) / NANOSECONDS_PER_MS - LAG_RESOLUTION_MS);
    const load: Load = {
      cpuCores: (cpu.user + cpu.system) / 1_000 / elapsedMs,
      memoryBytes: process.memoryUsage.rss(),
      eventLoopLagMs: Number.isFinite(lagMs) ? lagMs : 0,
      inFlight: this.counters.inFlight(),
      requestsPerSecond: ((requests - this.lastRequests) * 1_000) / elapsedMs,
    };
    this.delay.reset();
    this.lastCpu = process.cpuUsage();
    this.lastAtMs = nowMs;
    this.lastRequests = requests;
    return load;
  }

  close(): void {
    this.delay.disable();
  }
}
