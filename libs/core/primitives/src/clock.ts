/**
 * Milliseconds on a clock that only goes forward and runs while the process is stopped. Fractions are allowed.
 * Cores take such readings as arguments and never read a clock themselves.
 */
export type MonotonicMs = number;

/** Milliseconds since the Unix epoch, as the wall clock of a machine says: may jump, is never compared between machines. */
export type WallMs = number;

/** What a shell hands to the code that must read time. */
export interface Clock {
  monotonicMs(): MonotonicMs;
  wallMs(): WallMs;
}
