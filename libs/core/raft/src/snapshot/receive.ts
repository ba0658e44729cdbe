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
  const received = incoming?.chunks ?? [];
  if (incoming !== null && message.chunkIndex === received.length) received.push(message.data);
  if (incoming === null || received.length < incoming.chunkCount) {
    const { point, chunkIndex } = message;
    const body = { kind: 'snapshotReply', point, chunkIndex, nextChunk: received.length } as const;
    send(state, { to: message.from }, body, 'hardState');
    return;
  }
  follower.incomingSnapshot = null;
  const { index, term } = message.point;
  install(state, { index, term, configuration: incoming.configuration, chunks: incoming.chunks });
  send(state, { to: message.from }, { kind: 'appendReply', matchIndex: index }, 'log');
}

/**
 * A new leader makes a new follower, so chunks of two leaders, which may cut differently, never mix. Null where it has not begun
 * and this is not its first chunk.
 */
function continued(follower: Follower, message: SnapshotChunk): IncomingSnapshot | null {
  const { point, chunkCount, chunkIndex, configuration } = message;
  const incoming = follower.incomingSnapshot;
  const isSame =
    incoming?.point.index === point.index &&
    incoming.point.term === point.term &&
    incoming.chunkCount === chunkCount;
  if (isSame) return incoming;
  follower.incomingSnapshot =
    chunkIndex === 0 && configuration !== null ? { point, chunkCount, configuration, chunks: [] } : null;
  return follower.incomingSnapshot;
}

function install(state: MemberState, snapshot: Snapshot): void {
  const { log, outbox, config } = state;
  if (log.termAt(snapshot.index) === snapshot.term) {
    // The entries up to it are all here: only their commitment was news.
    log.commitTo(snapshot.index);
    return;
  }
  log.restore(config.rules.compactedTo(snapshot), snapshot.configuration);
  outbox.installSnapshot(snapshot);
  outbox.note({ kind: 'snapshotInstalled', index: snapshot.index, term: snapshot.term });
}
