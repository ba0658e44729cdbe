/**
 * The load figures of this process for its heartbeats: CPU, memory and requests since the last reading.
 */
import type { Load } from '@ringleader/contracts';

export interface RequestCounters {
  inFlight(): number;
  /** Since the process started. */
  requestsTotal(): number;
}

export class LoadMeter {
  private lastCpu = process.cpuUsage();
  private lastAtMs = performance.now();
  private lastRequests = 0;
  private lastMemoryBytes = 0;

  constructor(private readonly counters: RequestCounters) {}

  /** The event loop's lag is how late the heartbeat itself is: any other look at it would wake the process. */
  read(eventLoopLagMs: number): Load {
    const nowMs = performance.now();
    const elapsedMs = Math.max(1, nowMs - this.lastAtMs);
    const cpu = process.cpuUsage(this.lastCpu);
    const requests = this.counters.requestsTotal();
    const load: Load = {
      cpuCores: (cpu.user + cpu.system) / 1_000 / elapsedMs,
      memoryBytes: this.memoryBytes(),
      eventLoopLagMs,
      inFlight: this.counters.inFlight(),
      requestsPerSecond: ((requests - this.lastRequests) * 1_000) / elapsedMs,
    };
    this.lastCpu = process.cpuUsage();
    this.lastAtMs = nowMs;
    this.lastRequests = requests;
    return load;
  }

  /** The last reading, where there is no descriptor left for the file of the system that tells it. */
  private memoryBytes(): number {
    try {
      this.lastMemoryBytes = process.memoryUsage.rss();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall !== 'uv_resident_set_memory') throw error;
    }
    return this.lastMemoryBytes;
  }
}
