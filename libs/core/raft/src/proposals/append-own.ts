import type { Leader, MemberState } from '../member-state.js';
import { type Entry, type EntryKind, entrySizeBytes } from '../types.js';

/** A leader only ever appends to its log (3.5). Followers get it when the turn ends, all at once. */
export function appendOwn(
  state: MemberState,
  leader: Leader,
  kind: EntryKind,
  data: readonly Uint8Array[],
): void {
  const first = state.log.lastIndex + 1;
  const entries = data.map((bytes, i): Entry => ({ index: first + i, term: state.term, kind, data: bytes }));
  state.log.put(entries);
  state.outbox.logChanged();
  for (const entry of entries) leader.uncommittedBytes += entrySizeBytes(entry);
}
