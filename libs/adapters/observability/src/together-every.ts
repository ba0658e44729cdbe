/**
 * Runs the task at whole multiples of the interval, by the wall clock: processes whose clocks agree do it together, so that
 * whoever hears them all is woken once and not for each. Never sooner than a quarter of an interval after the one before.
 * The task is told how late it is, in milliseconds. Returns what ends it.
 */
export function togetherEvery(intervalMs: number, task: (lateMs: number) => void): () => void {
  const arm = (): NodeJS.Timeout => {
    const untilMs = intervalMs - (Date.now() % intervalMs);
    const delayMs = untilMs < intervalMs / 4 ? untilMs + intervalMs : untilMs;
    const dueAt = performance.now() + delayMs;
    return setTimeout(() => {
      const lateMs = Math.max(0, performance.now() - dueAt);
      timer = arm();
      task(lateMs);
    }, delayMs);
  };
  let timer = arm();
  return () => clearTimeout(timer);
}
