/** Sending a snapshot to a follower whose next entries are compacted away (5.3): chunks in a window, as Appends are. */
import { invariant } from '@ringleader/primitives';
import { heardProgress, type Leader, type MemberState, send } from '../member-state.js';
import type { SnapshotReply } from '../messages.js';
import type { Progress, Transmission } from '../tracker/progress.js';
import type { LogIndex, MemberId, Snapshot } from '../types.js';

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

/** Called at the end of each turn: begins what can begin, and fills the window. */
export function sendSnapshot(state: MemberState, leader: Leader, progress: Progress): void {
  const snapshot = leader.outgoingSnapshot;
  if (snapshot === null) return;
  if (progress.transmission === null) {
    const point = { index: snapshot.index, term: snapshot.term };
    progress.transmission = { point, reported: 0, next: 0, isProbing: false, ticks: 0 };
    state.outbox.note({ kind: 'snapshotSending', to: progress.member, index: snapshot.index });
    probe(state, progress, snapshot);
  }
  fillWindow(state, progress, snapshot);
}

export function handleSnapshotReply(state: MemberState, leader: Leader, message: SnapshotReply): void {
  const progress = heardProgress(leader, message.from);
  const snapshot = leader.outgoingSnapshot;
  const transmission = progress?.transmission ?? null;
  if (transmission === null || snapshot === null || !isAbout(message, snapshot)) return;
  if (message.nextChunk >= snapshot.chunks.length) return;
  if (message.nextChunk > transmission.reported) transmission.ticks = 0;
  transmission.reported = message.nextChunk;
  // What answers a probe says where to go on, be it further back: the follower may have forgotten what it had.
  const isProbed = transmission.isProbing && message.chunkIndex === transmission.next - 1;
  transmission.next = isProbed ? message.nextChunk : Math.max(transmission.next, message.nextChunk);
  transmission.isProbing = false;
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

/** The follower lives, and has for long said nothing new: chunks or answers were lost, or all that it had. */
export function resendChunk(state: MemberState, leader: Leader, progress: Progress): void {
  const { transmission } = progress;
  if (transmission === null || leader.outgoingSnapshot === null) return;
  if (transmission.ticks < state.config.timings.resendIntervalTicks) return;
  probe(state, progress, leader.outgoingSnapshot);
}

/** The shell knows that it is not to be had this way; or that it has it, by a way of the shell's own. */
export function reportSnapshot(leader: Leader, progress: Progress, isInstalled: boolean): void {
  if (progress.state !== 'snapshot') return;
  progress.becomeProbe(isInstalled ? (leader.outgoingSnapshot?.index ?? 0) + 1 : 0);
  // Not at once again what has just failed: when it next answers a heartbeat.
  progress.isProbeOut = !isInstalled;
}

function isAnyReceiving({ config }: MemberState, leader: Leader): boolean {
  const { electionTimeoutTicks } = config.timings;
  return [...leader.tracker.all].some(
    (progress) =>
      progress.state === 'snapshot' && !progress.isDiskFull && progress.heardWithin(electionTimeoutTicks),
  );
}

/** Sends again the first chunk that the follower lacks, and no other before it has answered. */
function probe(state: MemberState, progress: Progress, snapshot: Snapshot): void {
  const { transmission } = progress;
  invariant(transmission !== null, 'chunks belong to a transmission');
  transmission.ticks = 0;
  transmission.next = transmission.reported;
  sendNext(state, progress.member, { transmission, snapshot });
  transmission.isProbing = true;
}

function fillWindow(state: MemberState, { member, transmission }: Progress, snapshot: Snapshot): void {
  if (transmission === null || transmission.isProbing) return;
  const { inFlightBytesMax } = state.config.limits;
  let bytes = 0;
  for (let i = transmission.reported; i < transmission.next; i += 1) bytes += snapshot.chunks[i]!.byteLength;
  while (transmission.next < snapshot.chunks.length && bytes < inFlightBytesMax) {
    bytes += snapshot.chunks[transmission.next]!.byteLength;
    sendNext(state, member, { transmission, snapshot });
  }
}

interface Sending {
  readonly transmission: Transmission;
  readonly snapshot: Snapshot;
}

function sendNext(state: MemberState, to: MemberId, { transmission, snapshot }: Sending): void {
  const chunkIndex = transmission.next;
  transmission.next += 1;
  const body = {
    kind: 'snapshotChunk',
    point: transmission.point,
    chunkIndex,
    chunkCount: snapshot.chunks.length,
    configuration: chunkIndex === 0 ? snapshot.configuration : null,
    data: snapshot.chunks[chunkIndex]!,
  } as const;
  send(state, { to }, body, 'nothing');
}
