/**
 * How long a suspect has until it is held to be down: the longest time at first, less with every other detector that
 * suspects it too, down to the shortest when all expected have confirmed (Lifeguard, "local health aware suspicion").
 */
export interface SuspicionTimeout {
  /** How many confirmations make the time shortest; 0 where there is no other detector. */
  readonly confirmationsExpected: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** Whole milliseconds. */
export function suspicionTimeoutMs(
  confirmations: number,
  { confirmationsExpected, minMs, maxMs }: SuspicionTimeout,
): number {
  if (confirmationsExpected < 1) return minMs;
  const fraction = Math.log(confirmations + 1) / Math.log(confirmationsExpected + 1);
  return Math.max(minMs, Math.floor(maxMs - fraction * (maxMs - minMs)));
}
