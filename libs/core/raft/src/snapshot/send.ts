/** Sending a snapshot to a follower whose next entries are compacted away (5.3): one chunk at a time, resent when not answered. */
import { invariant } from '@ringleader/primitives';
import { heardProgress, type Leader, type MemberState, send } from '../member-state.js';
import type { SnapshotReply } from '../messages.js';
import type { Progress } from '../tracker/progress.js';
import type { LogIndex, Snapshot } from '../types.js';

export function beginSnapshot(progress: Progress): void {
  progress.becomeSnapshot();
}

/** True while a follower waits for a snapshot which the shell has not provided. */
export function isSnapshotWanted(state: MemberState, leader: Leader): boolean {
  return leader.outgoingSnapshot === null && isAnyReceiving(state, leader);
}

export function provideSnapshot(state: MemberState, leader: Leader, snapshot: Snapshot): void {
  invariant(snapshot.chunks.length > 0, 'a snapshot has at least one chunk');
  // Its chunks are under way, and belong to no other: a newer one waits until nobody receives this one any more.
  if (leader.outgoingSnapshot !== null) return;
  // The log may have been compacted past it while it was read from the disk: it is wanted again then.
  if (snapshot.index >= state.log.base.index) leader.outgoingSnapshot = snapshot;
}

/** Called at the end of each turn: begins what can begin. */
export function sendSnapshot(state: MemberState, leader: Leader, progress: Progress): void {
  const snapshot = leader.outgoingSnapshot;
  if (snapshot === null || progress.transmission !== null) return;
  progress.transmission = { point: { index: snapshot.index, term: snapshot.term }, chunk: 0, ticks: 0 };
  state.outbox.note({ kind: 'snapshotSending', to: progress.member, index: snapshot.index });
  sendChunk(state, progress, snapshot);
}

export function handleSnapshotReply(state: MemberState, leader: Leader, message: SnapshotReply): void {
  const progress = heardProgress(leader, message.from);
  const snapshot = leader.outgoingSnapshot;
  if (progress === null || snapshot === null || !isAbout(message, snapshot)) return;
  const { transmission } = progress;
  // Only the answer to what was sent last says what to send next, be it an earlier chunk: it may have forgotten what it had.
  if (transmission?.chunk !== message.chunkIndex || message.nextChunk >= snapshot.chunks.length) return;
  transmission.chunk = message.nextChunk;
  sendChunk(state, progress, snapshot);
}

function isAbout({ point }: SnapshotReply, snapshot: Snapshot): boolean {
  return point.index === snapshot.index && point.term === snapshot.term;
}

/** Each tick: lets go of the snapshot when nobody that answers is being sent it any more. */
export function tickSnapshots(state: MemberState, leader: Leader): void {
  const isDone = !isAnyReceiving(state, leader);
  if (isDone) leader.outgoingSnapshot = null;
  for (const progress of leader.tracker.all) {
    if (isDone) progress.transmission = null;
    else if (progress.transmission !== null) progress.transmission.ticks += 1;
  }
}

/**
 * How much of the log may be forgotten: not what a follower will need that is being sent a snapshot, or it would need
 * another one when it has this one, for ever.
 */
export function compactionLimit({ role }: MemberState, index: LogIndex): LogIndex {
  if (role.kind !== 'leader' || role.outgoingSnapshot === null) return index;
  return Math.min(index, role.outgoingSnapshot.index);
}

/** The follower lives, and has not answered the last chunk for long: it, or its answer, was lost. */
export function resendChunk(state: MemberState, leader: Leader, progress: Progress): void {
  const { transmission } = progress;
  if (transmission === null || leader.outgoingSnapshot === null) return;
  if (transmission.ticks < state.config.timings.resendIntervalTicks) return;
  sendChunk(state, progress, leader.outgoingSnapshot);
}

function isAnyReceiving({ config }: MemberState, leader: Leader): boolean {
  const { electionTimeoutTicks } = config.timings;
  return [...leader.tracker.all].some(
    (progress) => progress.state === 'snapshot' && progress.heardWithin(electionTimeoutTicks),
  );
}

function sendChunk(state: MemberState, progress: Progress, snapshot: Snapshot): void {
  const { transmission } = progress;
  invariant(transmission !== null, 'chunks belong to a transmission');
  transmission.ticks = 0;
  const body = {
    kind: 'snapshotChunk',
    point: transmission.point,
    chunkIndex: transmission.chunk,
    chunkCount: snapshot.chunks.length,
    configuration: transmission.chunk === 0 ? snapshot.configuration : null,
    data: snapshot.chunks[transmission.chunk]!,
  } as const;
  send(state, { to: progress.member }, body, 'nothing');
}
