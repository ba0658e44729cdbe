import { setTimeout as delay } from 'node:timers/promises';

/** Tests say how many times as long as on an unloaded machine they wait, by a global; nobody else does. */
const { testSlowness = 1 } = globalThis as { testSlowness?: number };

export interface UntilOptions {
  /** On an unloaded machine. */
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
  const limitMs = timeoutMs * testSlowness;
  const deadline = performance.now() + limitMs;
  for (;;) {
    if (await condition()) return;
    const reason = failure?.();
    if (reason !== undefined) throw new Error(`${what}: ${reason}`);
    if (performance.now() > deadline) {
      const last = seen === undefined ? '' : `; last seen: ${seen()}`;
      throw new Error(`${what}: not within ${limitMs} ms${last}`);
    }
    await delay(everyMs);
  }
}
