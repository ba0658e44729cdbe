/**
 * What a user feels of a fault: how long he waited for an answer, and how long what he asked for had none. That others were
 * answered meanwhile is no comfort to him, so both are told of the one who waited longest.
 */
import type { RecordedRequest } from './recorded-operation.js';

/** An operation with all of its attempts. */
export interface Asked {
  readonly kind: RecordedRequest['kind'];
  readonly key: string;
  readonly invokedAtMs: number;
  readonly completedAtMs: number;
  /** False: it was given up, refused or without a known outcome. */
  readonly isAnswered: boolean;
}

export interface Waits {
  /** The slowest operation of each kind: from its first attempt to its answer, or to where it was given up. */
  readonly slowestMs: Readonly<Partial<Record<Asked['kind'], number>>>;
  /** The longest time in which a key was asked for and not answered, however many asked. */
  readonly longestWait: { readonly key: string; readonly ms: number };
}

/** Of all operations that ended at `sinceMs` or later. */
export function waitsOf(all: readonly Asked[], sinceMs: number): Waits {
  const asked = all.filter(({ completedAtMs }) => completedAtMs >= sinceMs);
  const slowestMs: Partial<Record<Asked['kind'], number>> = {};
  for (const { kind, invokedAtMs, completedAtMs } of asked)
    slowestMs[kind] = Math.max(slowestMs[kind] ?? 0, completedAtMs - invokedAtMs);
  let longestWait: Waits['longestWait'] = { key: '', ms: 0 };
  for (const [key, ofKey] of Map.groupBy(asked, ({ key }) => key)) {
    const ms = longestWaitMs(ofKey);
    if (ms > longestWait.ms) longestWait = { key, ms };
  }
  return { slowestMs, longestWait };
}

/** Of operations on one key. It waits from when somebody asks until anybody is answered; a refusal ends no wait. */
function longestWaitMs(asked: readonly Asked[]): number {
  const events = asked
    .flatMap(({ invokedAtMs, completedAtMs, isAnswered }) => [
      { atMs: invokedAtMs, change: 1, isAnswered: false },
      { atMs: completedAtMs, change: -1, isAnswered },
    ])
    .toSorted((a, b) => a.atMs - b.atMs || b.change - a.change);
  let underWay = 0;
  let waitsSinceMs: number | null = null;
  let longestMs = 0;
  for (const { atMs, change, isAnswered } of events) {
    underWay += change;
    if (waitsSinceMs !== null) longestMs = Math.max(longestMs, atMs - waitsSinceMs);
    if (isAnswered) waitsSinceMs = underWay > 0 ? atMs : null;
    else waitsSinceMs ??= atMs;
  }
  return longestMs;
}
