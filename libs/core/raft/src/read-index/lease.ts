/**
 * Reads by a lease (6.4.1), as an option: a member that has heard from a leader helps nobody else to be elected for an election
 * time-out, so that a leader which a majority has answered lately knows that there is no other. It saves the round of heartbeats, and
 * rests on what ReadIndex does not need: clocks whose rates differ by less than a known part, and do not stand still while a process runs.
 *
 *  - It runs from when the heartbeat was sent that a majority has answered, not from when the answers came, by the leader's clock.
 *  - A follower counts in ticks: it may begin to count just before one, so that of its time-out one tick is not counted on.
 *  - Whoever starts counts as one that has heard from a leader just now: before it restarted it may have.
 *  - A leader that has begun to hand over has asked for the very election: it has no lease in this term any more, as the message may be late.
 */
import type { RaftConfig } from '../config.js';
import { configurationOfLog, type Leader, type MemberState } from '../member-state.js';
import { jointIndex } from '../quorum/joint.js';

export function leaseLengthMs({ lease, timings }: Pick<RaftConfig, 'lease' | 'timings'>): number {
  if (lease === null) return 0;
  return (timings.electionTimeoutTicks - 1) * lease.tickMs * (1 - lease.driftMax);
}

/** Heartbeats that are about to leave need a round of their own, so that their answers tell when they were sent. */
export function nameRound({ config }: MemberState, { reads }: Leader): void {
  if (config.lease !== null && (reads.round === 0 || reads.sentAtMs.has(reads.round))) reads.round += 1;
}

/** The round of heartbeats that leaves now. */
export function noteSent({ config, nowMs }: MemberState, { reads }: Leader): void {
  if (config.lease === null || nowMs === null || reads.sentAtMs.has(reads.round)) return;
  if (reads.round === 0) return;
  const lengthMs = leaseLengthMs(config);
  for (const [round, sentAtMs] of reads.sentAtMs) {
    if (nowMs - sentAtMs >= lengthMs) reads.sentAtMs.delete(round);
  }
  reads.sentAtMs.set(reads.round, nowMs);
}

/** At the moment of this turn, which every question that waits came before. */
export function hasLease(state: MemberState, { reads, isLeaseVoid }: Leader): boolean {
  const { config, nowMs } = state;
  const { rules } = config;
  if (config.lease === null || nowMs === null || isLeaseVoid) return false;
  const roundOf = (id: number): number => (id === config.id ? reads.round : (reads.confirmed.get(id) ?? 0));
  const round = jointIndex(rules.setsToAgree(configurationOfLog(state)), roundOf, rules.quorum);
  const sentAtMs = reads.sentAtMs.get(round);
  return sentAtMs !== undefined && rules.isLeaseRunning(nowMs - sentAtMs, leaseLengthMs(config));
}
