/**
 * The whole store as bytes. Two stores that applied the same commands have equal snapshots, whether or not one of them
 * was restored from a snapshot in between: simulations and operators compare members by it.
 *
 * Histories of keys and leases are written; the log of changes and the keys of each lease follow from them.
 */
import { ByteReader, ByteWriter, MalformedBytesError } from '@ringleader/primitives';
import { ChangeLog } from './change-log.js';
import { KeyIndex } from './key-index.js';
import type { KeyState } from './key-index.js';
import { LeaseTable } from './lease-table.js';
import { MvccStore } from './store.js';

const SNAPSHOT_VERSION = 1;

export function encodeSnapshot(store: MvccStore): Uint8Array {
  const { index, leases } = store.parts;
  const writer = new ByteWriter()
    .varint(SNAPSHOT_VERSION)
    .varint(store.revision)
    .varint(store.compactedRevision);
  writer
    .varint(leases.lastGranted)
    .list(leases.list(), ({ lease, ttlMs }) => writer.varint(lease).varint(ttlMs));
  writer.varint(index.size);
  for (const [key, history] of index.entries()) {
    writer.text(key).list(history, (state) => writeState(writer, state));
  }
  return writer.copy();
}

export function decodeSnapshot(bytes: Uint8Array): MvccStore {
  const reader = new ByteReader(bytes);
  const version = reader.varint();
  if (version !== SNAPSHOT_VERSION) throw new MalformedBytesError(`snapshot version ${version} is not known`);
  const revision = reader.varint();
  const compacted = reader.varint();
  const leases = readLeases(reader);
  const index = readKeys(reader);
  reader.end();
  attachKeys(index, leases);
  return new MvccStore({ index, leases, log: rebuildLog(index, compacted, revision) });
}

function writeState(writer: ByteWriter, state: KeyState): void {
  writer.varint(state.modRevision).varint(state.version);
  if (state.version > 0) writer.varint(state.createRevision).text(state.value).varint(state.lease);
}

function readState(reader: ByteReader): KeyState {
  const modRevision = reader.varint();
  const version = reader.varint();
  if (version === 0) return { modRevision, version, createRevision: 0, value: '', lease: 0 };
  const createRevision = reader.varint();
  const value = reader.text();
  return { modRevision, version, createRevision, value, lease: reader.varint() };
}

function readLeases(reader: ByteReader): LeaseTable {
  const leases = new LeaseTable(reader.varint());
  reader.list(() => {
    const lease = reader.varint();
    leases.restore(lease, reader.varint());
  });
  return leases;
}

function readKeys(reader: ByteReader): KeyIndex {
  const index = new KeyIndex();
  reader.list(() => {
    const key = reader.text();
    for (const state of reader.list(() => readState(reader))) index.append(key, state);
  });
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
