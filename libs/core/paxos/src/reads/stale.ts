import type { Port } from '../parts.js';
import { vouchedAt, type CommitPointsPort } from '../accept/commit-points.js';
import type { Replica } from '../partition/replica.js';
import type { ReadRequest } from '../requests.js';
import { isLive } from '../writes/conditions.js';

export type StalePort = CommitPointsPort &
  Port<'now' | 'timings' | 'rules' | 'reads' | 'holdings' | 'admission'>;

/** 4.5.2: the commit point first, then the row; answered iff the row is at or before it. */
export function readStale(
  context: StalePort,
  replica: Replica,
  request: ReadRequest,
  maxStalenessMs: number | null,
): void {
  const { admission, rules } = context;
  const { token, key } = request;
  const takenBefore = replica.commitOfDurableRows;
  const { generation } = replica.durable;
  const tooStale = (): void => {
    admission.answer(request, { kind: 'tooStale', token });
  };
  if (!replica.isMember || replica.durable.position.ballot === 0) {
    tooStale();
    return;
  }
  const freshAt = provenAt(context, replica, takenBefore);
  if (!isYoung(context, freshAt, maxStalenessMs)) {
    tooStale();
    return;
  }
  const { partition } = replica;
  const wanted = { partition, generation, key, valueBytesMax: Number.POSITIVE_INFINITY };
  context.reads.row(wanted, (stored) => {
    const row = stored === null ? null : stored.row;
    const commit = rules.commitForStaleRead(takenBefore, replica.commitOfDurableRows);
    // A switch of generations may have emptied the one that was read.
    const gone = replica.durable.generation !== generation || replica.record.generation !== generation;
    const provenYet = measurable(context, freshAt);
    if (gone || (row?.revision ?? 0) > commit || !isYoung(context, provenYet, maxStalenessMs)) {
      tooStale();
      return;
    }
    const stalenessMs = provenYet === null ? null : ageOf(context, provenYet);
    admission.answer(request, { kind: 'row', token, row: isLive(row) ? row : null, stalenessMs });
  });
}

/**
 * 4.5.3: own sending time up to which everything that was committed is at or before this commit point; null where none
 * is proven, or the clock has jumped since (4.4.6: it cannot tell an age across that).
 */
export function provenAt(context: StalePort, replica: Replica, commit: number): number | null {
  return measurable(context, vouchedAt(context, replica, commit));
}

export function measurable(context: StalePort, freshAt: number | null): number | null {
  return freshAt !== null && context.holdings.isMeasurable(freshAt) ? freshAt : null;
}

export function isYoung(context: StalePort, freshAt: number | null, maxStalenessMs: number | null): boolean {
  if (maxStalenessMs === null) return true;
  return freshAt !== null && ageOf(context, freshAt) <= maxStalenessMs;
}

/** On the own clock, with all that it may have missed: it may run slow, and may have stood still unseen (4.4.6). */
function ageOf(context: StalePort, freshAt: number): number {
  const { leaseMs, driftFraction } = context.timings;
  return (context.now - freshAt) / (1 - driftFraction / 4) + (leaseMs * driftFraction) / 2;
}
