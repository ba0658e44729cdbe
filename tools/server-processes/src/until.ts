import { setTimeout as delay } from 'node:timers/promises';

export interface UntilOptions {
  readonly timeoutMs: number;
  readonly everyMs?: number;
  /** Asked between two looks: a reason to stop waiting at once, for instance a process that has ended. */
  readonly failure?: () => string | undefined;
  /** What was seen last, for who reads that the time was up. */
  readonly seen?: () => string;
}

/** Polls a condition: what it waits for can be seen only by looking (a port, a file of another program). */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  { timeoutMs, everyMs = 20, failure, seen }: UntilOptions,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await condition()) return;
    const reason = failure?.();
    if (reason !== undefined) throw new Error(`${what}: ${reason}`);
    if (performance.now() > deadline) {
      const last = seen === undefined ? '' : `; last seen: ${seen()}`;
      throw new Error(`${what}: not within ${timeoutMs} ms${last}`);
    }
    await delay(everyMs);
  }
}
