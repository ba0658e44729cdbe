/** Delivery to watchers: one writer, who puts again when every watcher has heard of the last value. */
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from '@ringleader/server-processes';
import type { LoadOrder } from './load.js';
import { Latencies, type LoopResult, type Phase } from './loop.js';

export interface Watched {
  put(): Promise<void>;
  /** Resolves when so many watchers will hear of every value from then on. */
  watch(watchers: number, heard: () => void): Promise<void>;
}

/** A watcher that has not heard of a value after so long never will. */
const HEAR_WITHIN_MS = 30_000;

/** A request is a value at one watcher; its latency counts from when the value was sent. */
export async function runWatchRounds(
  watched: Watched,
  { clients, warmUpMs, durationMs }: Pick<LoadOrder, 'clients' | 'warmUpMs' | 'durationMs'>,
  onPhase: (phase: Phase) => void,
): Promise<LoopResult> {
  let latencies = new Latencies();
  let missing = 0;
  let sentMs = 0;
  let allHeard = (): void => undefined;
  await watched.watch(clients, () => {
    latencies.record(performance.now() - sentMs);
    missing -= 1;
    if (missing === 0) allHeard();
  });
  const round = async (): Promise<void> => {
    missing = clients;
    const heard = new Promise<void>((resolve) => (allHeard = resolve));
    const limit = new AbortController();
    sentMs = performance.now();
    await watched.put();
    const late = delay(HEAR_WITHIN_MS, undefined, { signal: limit.signal }).then(
      () =>
        Promise.reject(
          new StartError(`${missing} watchers have not heard of a value within ${HEAR_WITHIN_MS} ms`),
        ),
      () => undefined,
    );
    await Promise.race([heard, late]).finally(() => limit.abort());
  };
  for (const end = performance.now() + warmUpMs; performance.now() < end;) await round();
  latencies = new Latencies();
  onPhase('begin');
  const begunMs = performance.now();
  while (performance.now() < begunMs + durationMs) await round();
  const seconds = (performance.now() - begunMs) / 1_000;
  onPhase('end');
  const requests = latencies.count;
  const nothing = { failures: 0, failure: '', unsent: 0, lagMs: 0 };
  return { requests, seconds, percentiles: latencies.percentiles(), ...nothing };
}
