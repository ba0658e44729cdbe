/** Receiving a snapshot: chunks in order, from one leader; then the whole log gives way to it (5.3, figure 5.3). */
import { type MemberState, send, type Follower } from '../member-state.js';
import type { SnapshotChunk } from '../messages.js';
import type { IncomingSnapshot, Snapshot } from '../types.js';

export function handleSnapshotChunk(state: MemberState, follower: Follower, message: SnapshotChunk): void {
  const { log } = state;
  if (message.point.index <= log.commit) {
    follower.incomingSnapshot = null;
    send(state, { to: message.from }, { kind: 'appendReply', matchIndex: log.commit }, 'log');
    return;
  }
  const incoming = continued(follower, message);
  if (message.chunkIndex === incoming.chunks.length) incoming.chunks.push(message.data);
  if (incoming.chunks.length < incoming.chunkCount) {
    const { point, chunkIndex } = message;
    const body = { kind: 'snapshotReply', point, chunkIndex, nextChunk: incoming.chunks.length } as const;
    send(state, { to: message.from }, body, 'hardState');
    return;
  }
  follower.incomingSnapshot = null;
  const { index, term } = message.point;
  install(state, { index, term, chunks: incoming.chunks });
  send(state, { to: message.from }, { kind: 'appendReply', matchIndex: index }, 'log');
}

/** A new leader makes a new follower, so chunks of two leaders, which may cut differently, never mix. */
function continued(follower: Follower, { point, chunkCount }: SnapshotChunk): IncomingSnapshot {
  const incoming = follower.incomingSnapshot;
  const isSame =
    incoming?.point.index === point.index &&
    incoming.point.term === point.term &&
    incoming.chunkCount === chunkCount;
  if (isSame) return incoming;
  const begun = { point, chunkCount, chunks: [] };
  follower.incomingSnapshot = begun;
  return begun;
}

function install(state: MemberState, snapshot: Snapshot): void {
  const { log, outbox, config } = state;
  if (log.termAt(snapshot.index) === snapshot.term) {
    // The entries up to it are all here: only their commitment was news.
    log.commitTo(snapshot.index);
    return;
  }
  log.restore(config.rules.compactedTo(snapshot));
  outbox.installSnapshot(snapshot);
  outbox.note({ kind: 'snapshotInstalled', index: snapshot.index, term: snapshot.term });
}
