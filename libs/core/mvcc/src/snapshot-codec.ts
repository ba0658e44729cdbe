/**
 * The whole store as bytes. Two stores that applied the same commands have equal snapshots, whether or not one of them
 * was restored from a snapshot in between: simulations and operators compare members by it.
 *
 * Histories of keys and leases are written; the log of changes and the keys of each lease follow from them.
 */
import {
  ByteReader,
  ByteWriter,
  type Codec,
  fields,
  listOf,
  MalformedBytesError,
  text,
  varint,
} from '@ringleader/primitives';
import { ChangeLog } from './change-log.js';
import { KeyIndex } from './key-index.js';
import type { KeyState } from './key-index.js';
import type { LeaseId, StoreRevision } from './commands.js';
import { type Lease, LeaseTable } from './lease-table.js';
import { MvccStore } from './store.js';

const SNAPSHOT_VERSION = 1;

/** What stands before the keys and their count. */
const headCodec = fields<{
  readonly revision: StoreRevision;
  readonly compacted: StoreRevision;
  readonly lastGranted: LeaseId;
  readonly leases: readonly Lease[];
}>({
  revision: varint,
  compacted: varint,
  lastGranted: varint,
  leases: listOf(fields<Lease>({ lease: varint, ttlMs: varint })),
});

const change = fields<Pick<KeyState, 'modRevision' | 'version'>>({ modRevision: varint, version: varint });
const content = fields<Pick<KeyState, 'createRevision' | 'value' | 'lease'>>({
  createRevision: varint,
  value: text,
  lease: varint,
});
const DELETED = { createRevision: 0, value: '', lease: 0 };

/** By hand: a deletion is nothing but its revision. */
const stateCodec: Codec<KeyState> = {
  write(writer, state) {
    change.write(writer, state);
    if (state.version > 0) content.write(writer, state);
  },
  read(reader) {
    const { modRevision, version } = change.read(reader);
    const { createRevision, value, lease } = version === 0 ? DELETED : content.read(reader);
    return { modRevision, createRevision, version, value, lease };
  },
};

const historyCodec = fields<{ readonly key: string; readonly states: readonly KeyState[] }>({
  key: text,
  states: listOf(stateCodec),
});

export function encodeSnapshot(store: MvccStore): Uint8Array {
  const { index, leases } = store.parts;
  const writer = new ByteWriter().varint(SNAPSHOT_VERSION);
  headCodec.write(writer, {
    revision: store.revision,
    compacted: store.compactedRevision,
    lastGranted: leases.lastGranted,
    leases: leases.list(),
  });
  writer.varint(index.size);
  for (const [key, states] of index.entries()) historyCodec.write(writer, { key, states });
  return writer.copy();
}

export function decodeSnapshot(bytes: Uint8Array): MvccStore {
  const reader = new ByteReader(bytes);
  const version = reader.varint();
  if (version !== SNAPSHOT_VERSION) throw new MalformedBytesError(`snapshot version ${version} is not known`);
  const { revision, compacted, lastGranted, leases: granted } = headCodec.read(reader);
  const leases = restoreLeases(lastGranted, granted);
  const index = readKeys(reader);
  reader.end();
  attachKeys(index, leases);
  return new MvccStore({ index, leases, log: rebuildLog(index, compacted, revision) });
}

function restoreLeases(lastGranted: LeaseId, granted: readonly Lease[]): LeaseTable {
  const leases = new LeaseTable(lastGranted);
  for (const { lease, ttlMs } of granted) leases.restore(lease, ttlMs);
  return leases;
}

function readKeys(reader: ByteReader): KeyIndex {
  const index = new KeyIndex();
  const count = reader.count();
  for (let i = 0; i < count; i++) {
    const { key, states } = historyCodec.read(reader);
    for (const state of states) index.append(key, state);
  }
  return index;
}

function attachKeys(index: KeyIndex, leases: LeaseTable): void {
  for (const [key, history] of index.entries()) leases.attach(key, history.at(-1)?.lease ?? 0);
}

function rebuildLog(index: KeyIndex, compacted: number, revision: number): ChangeLog {
  const changes = new Map<number, Map<string, KeyState>>();
  for (const [key, history] of index.entries()) {
    for (const state of history) {
      const atRevision = changes.get(state.modRevision) ?? new Map<string, KeyState>();
      changes.set(state.modRevision, atRevision.set(key, state));
    }
  }
  const log = new ChangeLog(compacted);
  for (let next = compacted + 1; next <= revision; next++) {
    const atRevision = changes.get(next);
    if (atRevision === undefined) throw new MalformedBytesError(`no change at revision ${next}`);
    log.append(next, atRevision);
  }
  return log;
}
