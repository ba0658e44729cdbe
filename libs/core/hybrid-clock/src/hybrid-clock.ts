/**
 * Hybrid logical clocks (Kulkarni et al., "Logical physical clocks", 2014): time stamps close to the wall clock that
 * never go back and always go past what was received, so that an effect is never stamped before its cause.
 * The paper's pair of milliseconds and counter is packed into one integer, ms x 1024 + counter. A counter that runs over
 * carries into the milliseconds, as addition does: the clock is then that little ahead of the wall.
 */
import { HYBRID_UNITS_PER_MS, invariant, type HybridTime, type WallMs } from '@ringleader/primitives';

const COUNTERS_PER_MS = HYBRID_UNITS_PER_MS;

/** What is asked of those who run the machines: no two wall clocks are further apart than this. */
export const WALL_CLOCKS_DIFFER_MS_MAX = 5_000;

/** Whose clock is further ahead of the own wall clock than this is not believed: one broken clock must not drag all others with it. */
export const AHEAD_MS_MAX = 5_000;

/**
 * S: by how much two hybrid clocks of a cluster differ at most. One process may have merged what is `AHEAD_MS_MAX` ahead
 * of a wall clock which itself is ahead of another's (docs/PROTOCOL.md 4.7.6).
 */
export const HYBRID_CLOCKS_DIFFER_MS_MAX = WALL_CLOCKS_DIFFER_MS_MAX + AHEAD_MS_MAX;

/** A clock that has issued and received nothing. */
export const HYBRID_TIME_ZERO: HybridTime = 0;

export interface HybridTimeParts {
  readonly wallMs: WallMs;
  /** 0 <= counter < 1024. */
  readonly counter: number;
}

export type Merged =
  | { readonly kind: 'merged'; readonly time: HybridTime }
  /** The remote time is further ahead of this wall than allowed: one broken clock must not drag all others with it. */
  | { readonly kind: 'refused'; readonly aheadMs: number };

export type Received =
  { readonly kind: 'received'; readonly time: HybridTime } | Extract<Merged, { kind: 'refused' }>;

export function packHybridTime({ wallMs, counter }: HybridTimeParts): HybridTime {
  invariant(counter >= 0 && counter < COUNTERS_PER_MS, 'packHybridTime: counter out of range');
  const time = Math.floor(wallMs) * COUNTERS_PER_MS + counter;
  invariant(time >= 0 && Number.isSafeInteger(time), 'packHybridTime: not a representable time');
  return time;
}

export function unpackHybridTime(time: HybridTime): HybridTimeParts {
  const wallMs = Math.floor(time / COUNTERS_PER_MS);
  return { wallMs, counter: time - wallMs * COUNTERS_PER_MS };
}

/** The time of a new local event or message: later than `last`, the latest the clock knows, and no earlier than the wall. */
export function nextHybridTime(last: HybridTime, wallMs: WallMs): HybridTime {
  return Math.max(last + 1, packHybridTime({ wallMs, counter: 0 }));
}

/** The clock's latest time after it has seen `remote`. What is issued next will be later. */
export function mergeHybridTime(
  last: HybridTime,
  remote: HybridTime,
  { wallMs, maxAheadMs }: { readonly wallMs: WallMs; readonly maxAheadMs: number },
): Merged {
  const aheadMs = remote / COUNTERS_PER_MS - wallMs;
  // Written so that a remote time which is not a number is refused too.
  if (!(remote <= last || aheadMs <= maxAheadMs)) return { kind: 'refused', aheadMs };
  return { kind: 'merged', time: Math.max(last, remote) };
}

/** Merges and issues the time of the receipt, which is itself an event. */
export function receiveHybridTime(
  last: HybridTime,
  remote: HybridTime,
  bounds: { readonly wallMs: WallMs; readonly maxAheadMs: number },
): Received {
  const merged = mergeHybridTime(last, remote, bounds);
  if (merged.kind === 'refused') return merged;
  return { kind: 'received', time: nextHybridTime(merged.time, bounds.wallMs) };
}
