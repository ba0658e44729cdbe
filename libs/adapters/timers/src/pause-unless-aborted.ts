import { setTimeout as pause } from 'node:timers/promises';

/**
 * The wait of a loop that somebody may end: true when the time has passed, false as soon as the signal is aborted. What
 * fails otherwise is thrown: a loop that took a pause which never began for one that is over would spin.
 */
export async function pauseUnlessAborted(
  ms: number,
  signal: AbortSignal,
  /** `ref: false`: the process does not live on for it. */
  { ref = true }: { readonly ref?: boolean } = {},
): Promise<boolean> {
  try {
    await pause(ms, undefined, { signal, ref });
    return !signal.aborted;
  } catch (error) {
    if ((error as Error).name === 'AbortError') return false;
    throw error;
  }
}
