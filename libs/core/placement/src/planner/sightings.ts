/**
 * How long something has been so, by the clock of this leader alone: since it first saw it. A stamp in a record is of the
 * wall clock of whoever wrote it, and says only whether it is still the same. Leaders write down from time to time how long
 * it was (as etcd does for leases): the next one goes on from there, and counts too little, never too much.
 */
import type { ShardOrdinal } from '@ringleader/primitives';
import type { ClusterState, ShardVerdict } from './cluster-state.js';

/** By the clock of this leader, of what is in the state that was looked at. */
export interface Sighting {
  /** What was seen, with its stamp, and since when it is so. */
  readonly since: ReadonlyMap<string, number>;
  readonly verdicts: ReadonlyMap<string, ShardVerdict>;
  /** Of ordinals that were replaced. */
  readonly replacedSince: ReadonlyMap<ShardOrdinal, number>;
}

const NOTHING_SEEN: ReadonlyMap<string, number> = new Map();

export function sight(state: ClusterState, before: Sighting | null, nowMs: number): Sighting {
  const since = new Map<string, number>();
  const seen = (what: string): number => {
    const at = (before?.since ?? NOTHING_SEEN).get(what) ?? nowMs - (state.elapsed.get(what) ?? 0);
    since.set(what, at);
    return at;
  };
  const verdicts = new Map<string, ShardVerdict>();
  for (const [shardId, { verdict, sinceMs }] of state.verdicts) {
    const isDown = verdict === 'down';
    verdicts.set(shardId, { verdict, sinceMs: isDown ? seen(`down/${shardId}/${sinceMs}`) : sinceMs });
  }
  const replacedSince = new Map<ShardOrdinal, number>();
  for (const { ordinal, state: is, sinceMs } of state.places.values())
    if (is === 'replaced') replacedSince.set(ordinal, seen(`replaced/${ordinal}/${sinceMs}`));
  return { since, verdicts, replacedSince };
}

export interface DueElapsed {
  /** Null: nothing is to be written now. */
  readonly elapsed: ReadonlyMap<string, number> | null;
  readonly wakeAtMs: number | null;
}

/** As long as anything has been so for less than matters. */
export function dueElapsed(
  { since }: Sighting,
  { elapsed: written, control }: ClusterState,
  { nowMs, everyMs }: { readonly nowMs: number; readonly everyMs: number },
): DueElapsed {
  const mattersMs = control?.limits.replaceAfterMs ?? 0;
  const dueAt = [...since].flatMap(([what, atMs]) => {
    const writtenMs = written.get(what) ?? 0;
    return writtenMs < mattersMs ? atMs + writtenMs + everyMs : [];
  });
  if (dueAt.length === 0) return { elapsed: null, wakeAtMs: null };
  const firstMs = dueAt.reduce((first, other) => Math.min(first, other));
  if (firstMs > nowMs) return { elapsed: null, wakeAtMs: firstMs };
  const elapsed = new Map([...since].map(([what, atMs]) => [what, nowMs - atMs]));
  return { elapsed, wakeAtMs: null };
}
