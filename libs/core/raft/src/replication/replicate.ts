/** The leader's sending side: at the end of each turn, everything the windows allow, to everyone (3.5, 10.2.1). */
import { type Leader, type MemberState, send } from '../member-state.js';
import { startReadRound } from '../read-index/leader-reads.js';
import { nameRound, noteSent } from '../read-index/lease.js';
import { beginSnapshot, sendSnapshot } from '../snapshot/send.js';
import type { Progress } from '../tracker/progress.js';
import { entrySizeBytes } from '../types.js';

export function replicate(state: MemberState, leader: Leader): void {
  for (const progress of leader.tracker.all) {
    if (progress.state !== 'snapshot') fillWindow(state, progress);
    if (progress.state === 'snapshot' && !progress.isDiskFull) sendSnapshot(state, leader, progress);
  }
  if (startReadRound(state, leader)) sendHeartbeats(state, leader);
  noteSent(state, leader);
}

export function sendHeartbeats(state: MemberState, leader: Leader): void {
  leader.ticksSinceHeartbeat = 0;
  nameRound(state, leader);
  for (const progress of leader.tracker.all) {
    const commit = state.config.rules.heartbeatCommit(progress.match, state.log.commit);
    const body = { kind: 'heartbeat', commit, readRound: leader.reads.round } as const;
    send(state, { to: progress.member }, body, 'nothing');
  }
}

function fillWindow(state: MemberState, progress: Progress): void {
  while (!progress.isPaused && isAnythingToSay(state, progress)) {
    if (!sendAppend(state, progress)) return;
  }
}

function isAnythingToSay({ log }: MemberState, progress: Progress): boolean {
  return progress.isAppendDue || progress.next <= log.lastIndex || progress.sentCommit < log.commit;
}

/** False when the log does not reach back far enough. */
function sendAppend(state: MemberState, progress: Progress): boolean {
  const { log, config } = state;
  const prevIndex = progress.next - 1;
  const prevTerm = log.termAt(prevIndex);
  if (prevTerm === null) {
    beginSnapshot(progress);
    return false;
  }
  const { isFull } = progress.inflights;
  const entries = isFull ? [] : log.entriesFrom(progress.next, config.limits.appendBytesMax);
  const body = { kind: 'append', prevIndex, prevTerm, entries, commit: log.commit } as const;
  // A leader's own term and vote are on disk since it was elected; its entries need not be.
  send(state, { to: progress.member }, body, 'nothing');
  const bytes = entries.reduce((sum, entry) => sum + entrySizeBytes(entry), 0);
  progress.sent(prevIndex + entries.length, bytes, log.commit);
  return true;
}
