/**
 * How long each target would take, out of what it took lately: Finagle's peak EWMA (Linkerd's, too). A moving average of the
 * latency that an answer slower than it raises at once, and faster ones lower only in time, times what is under way there.
 * A slow target is left alone after its first slow answer, and tried again, by and by, as that fades.
 *
 * Finagle learns of a pause when it is over. Here a target also counts as at least as slow as it has been silent with
 * something under way, so that one which was stopped is left alone while it stands.
 */
import type { MonotonicMs } from '@ringleader/primitives';
import { BoundedMemory } from './bounded-memory.js';
import type { CandidateId } from './candidate.js';

interface Load {
  inFlight: number;
  /** Null before the first answer. */
  latencyMs: number | null;
  /** When that was so; it decays from then on. */
  measuredAt: MonotonicMs;
  /** Of what is in flight nothing was answered since. */
  silentSince: MonotonicMs;
}

/** Of Finagle, and of Linkerd. */
const DECAY_MS = 10_000;
/** In place of a latency where none was measured: a second request waits until the first was answered, if it may. */
const UNMEASURED_MS = 1_000;
/** However fast a target is: what is in flight must count. */
const LATENCY_MS_MIN = 0.05;

export class TargetLoads {
  private readonly loads = new BoundedMemory<CandidateId, Load>();

  began(id: CandidateId, now: MonotonicMs): void {
    const load = this.load(id, now);
    if (load.inFlight === 0) load.silentSince = now;
    load.inFlight += 1;
  }

  /** What began at `startedAt` is over: answered, or no longer waited for. It took at least so long. */
  ended(id: CandidateId, startedAt: MonotonicMs, now: MonotonicMs): void {
    const load = this.load(id, now);
    load.inFlight = Math.max(0, load.inFlight - 1);
    load.silentSince = now;
    const tookMs = Math.max(0, now - startedAt);
    const before = decayed(load, now);
    const kept = Math.exp((load.measuredAt - now) / DECAY_MS);
    load.latencyMs = before === null || tookMs > before ? tookMs : before + tookMs * (1 - kept);
    load.measuredAt = now;
  }

  inFlight(id: CandidateId): number {
    return this.loads.get(id)?.inFlight ?? 0;
  }

  /** To be compared with others': what is in flight weighs less where the capacity is greater. */
  cost(id: CandidateId, capacity: number, now: MonotonicMs): number {
    const load = this.loads.get(id);
    if (load === undefined) return 0;
    const latencyMs = decayed(load, now);
    if (latencyMs === null && load.inFlight === 0) return 0;
    const silentMs = load.inFlight === 0 ? 0 : now - load.silentSince;
    const expectedMs = Math.max(latencyMs ?? UNMEASURED_MS, silentMs, LATENCY_MS_MIN);
    return expectedMs * (1 + load.inFlight / capacity);
  }

  private load(id: CandidateId, now: MonotonicMs): Load {
    const known = this.loads.get(id);
    if (known !== undefined) return known;
    const load: Load = { inFlight: 0, latencyMs: null, measuredAt: now, silentSince: now };
    this.loads.set(id, load);
    return load;
  }
}

/** As if it had been answered in no time ever since: else one that was slow would never be tried again. */
function decayed({ latencyMs, measuredAt }: Load, now: MonotonicMs): number | null {
  return latencyMs === null ? null : latencyMs * Math.exp((measuredAt - now) / DECAY_MS);
}
