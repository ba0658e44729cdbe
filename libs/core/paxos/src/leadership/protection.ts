/**
 * What a running grant forbids its granter (docs/PROTOCOL.md 4.4.3): to promise away a ballot that it acknowledged to
 * the holder, unless the holder released it. A promise alone protects nothing, so a failed candidacy blocks nobody.
 */
import type { Ballot, ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import { ownerOf } from '../ballot.js';
import type { Replica } from '../partition/replica.js';

export type ProtectionPort = Port<'ordinal' | 'startedAt' | 'timings' | 'rules' | 'grants'>;

export function acknowledge(context: ProtectionPort, replica: Replica, ballot: Ballot): void {
  replica.acknowledged = ballot;
  replica.acknowledgedTo = context.grants.incarnationOf(ownerOf(ballot));
}

/** Until when this shard may not promise the partition to the candidate; in the past when nothing forbids it. */
export function protectedUntil(context: ProtectionPort, replica: Replica, candidate: ShardOrdinal): number {
  const { promised } = replica.record;
  const owner = ownerOf(promised);
  const free =
    promised === 0 ||
    replica.acknowledged !== promised ||
    replica.released === promised ||
    owner === candidate ||
    owner === context.ordinal;
  return free ? Number.NEGATIVE_INFINITY : context.grants.protectsUntil(owner, replica.acknowledgedTo);
}

/** 4.4.4: promises may have been given, and grants too, by the process before this one. */
export function restartWaitEnds(context: ProtectionPort): number {
  return context.startedAt + context.rules.restartWaitMs(context.timings.leaseMs);
}
