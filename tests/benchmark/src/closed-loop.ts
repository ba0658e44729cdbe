/**
 * A closed loop: each connection sends its next request when it has the answer to the last one.
 */
export interface LoopResult {
  readonly requests: number;
  readonly failures: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface LoopOptions {
  readonly connections: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Performs request number `n` of connection `connection`; false is a failure. */
  readonly request: (connection: number, n: number) => Promise<boolean>;
  /** Called when the warm-up is over and when the measured part ends. */
  readonly onMeasuring?: (phase: 'begin' | 'end') => void;
  /** Milliseconds, always forward. */
  readonly now?: () => number;
}

export async function runClosedLoop(options: LoopOptions): Promise<LoopResult> {
  const { now = () => performance.now() } = options;
  const startAt = now() + options.warmUpMs;
  const endAt = startAt + options.durationMs;
  const latenciesMs: number[] = [];
  let failures = 0;
  let begun = options.warmUpMs === 0;
  if (begun) options.onMeasuring?.('begin');

  const run = async (connection: number): Promise<void> => {
    for (let n = 0; ; n += 1) {
      const sentAt = now();
      if (sentAt >= endAt) return;
      const succeeded = await options.request(connection, n);
      const doneAt = now();
      if (!begun && doneAt >= startAt) {
        begun = true;
        options.onMeasuring?.('begin');
      }
      if (doneAt < startAt || doneAt > endAt) continue;
      if (succeeded) latenciesMs.push(doneAt - sentAt);
      else failures += 1;
    }
  };
  await Promise.all(Array.from({ length: options.connections }, (_, connection) => run(connection)));
  options.onMeasuring?.('end');
  return summarize(latenciesMs, failures, options.durationMs / 1_000);
}

function summarize(latenciesMs: number[], failures: number, seconds: number): LoopResult {
  latenciesMs.sort((a, b) => a - b);
  return {
    requests: latenciesMs.length,
    failures,
    seconds,
    requestsPerSecond: latenciesMs.length / seconds,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    maxMs: latenciesMs.at(-1) ?? Number.NaN,
  };
}

/** Of a sorted list; the nearest rank. */
export function percentile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)] ?? Number.NaN;
}
