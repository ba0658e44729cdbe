/**
 * Receiving a snapshot: chunks in any order, from one leader of one term; then the whole log gives way to it (5.3, figure 5.3).
 * What has come is kept through a break, also when this member seeks election meanwhile.
 */
import { type MemberState, send } from '../member-state.js';
import type { SnapshotChunk } from '../messages.js';
import type { Chunk, IncomingSnapshot, Snapshot } from '../types.js';

export function handleSnapshotChunk(state: MemberState, message: SnapshotChunk): void {
  const { log } = state;
  if (message.point.index <= log.commit) {
    state.incomingSnapshot = null;
    send(state, { to: message.from }, { kind: 'appendReply', matchIndex: log.commit }, 'log');
    return;
  }
  if (state.isDiskFull) return;
  const incoming = continued(state, message);
  take(incoming, message);
  const { configuration, chunks } = incoming;
  if (configuration === null || incoming.firstMissing < incoming.chunkCount) {
    const { point, chunkIndex } = message;
    const body = { kind: 'snapshotReply', point, chunkIndex, nextChunk: incoming.firstMissing } as const;
    send(state, { to: message.from }, body, 'hardState');
    return;
  }
  state.incomingSnapshot = null;
  const { index, term } = message.point;
  const inOrder = Array.from({ length: incoming.chunkCount }, (_, i) => chunks.get(i)!);
  install(state, { index, term, configuration, chunks: inOrder });
  send(state, { to: message.from }, { kind: 'appendReply', matchIndex: index }, 'log');
}

/** Two leaders may cut differently, and the same one in another term: their chunks never mix. */
function continued(state: MemberState, { from, term, point, chunkCount }: SnapshotChunk): IncomingSnapshot {
  const incoming = state.incomingSnapshot;
  const isSame =
    incoming?.from === from &&
    incoming.term === term &&
    incoming.point.index === point.index &&
    incoming.point.term === point.term &&
    incoming.chunkCount === chunkCount;
  if (isSame) return incoming;
  const chunks = new Map<number, Chunk>();
  const begun = { from, term, point, chunkCount, configuration: null, chunks, firstMissing: 0 };
  state.incomingSnapshot = begun;
  return begun;
}

function take(incoming: IncomingSnapshot, { chunkIndex, configuration, data }: SnapshotChunk): void {
  incoming.chunks.set(chunkIndex, data);
  incoming.configuration ??= configuration;
  while (incoming.chunks.has(incoming.firstMissing)) incoming.firstMissing += 1;
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
