/**
 * The whole store as bytes, in chunks, none of which has to be kept. Two stores that applied the same commands have equal
 * snapshots, whether or not one of them was restored from a snapshot in between: simulations and operators compare
 * members by it.
 *
 * Histories of keys and leases are written; the log of changes and the keys of each lease follow from them. A snapshot is a
 * byte of version and blocks: the length in four bytes, then a byte of kind and what that kind has. Readers get the bytes
 * cut anywhere.
 */
import {
  ByteReader,
  ByteWriter,
  type Codec,
  fields,
  listOf,
  MalformedBytesError,
  packedBytes,
  text,
  uint8,
  varint,
} from '@ringleader/primitives';
import { noSizeLimit } from './commands.js';
import type { LeaseId, SizeLimit, StoreRevision } from './commands.js';
import type { Lease, WantedGrant } from './lease-table.js';
import { NO_VALUE, type State } from './key-values.js';
import { type StoreRules, soundStoreRules } from './rules.js';
import type { Entry } from './sorted-entries.js';
import { StoreBuilder } from './store-builder.js';
import type { MvccStore } from './store.js';

const SNAPSHOT_VERSION = 2;
const OLD_SNAPSHOT_VERSION = 1;

/** A block is closed when it is as large as this, with one state more at most. A long history stands in several blocks. */
const BLOCK_BYTES = 524_288;
const CHUNK_BYTES_MAX = 1_048_576;
const LENGTH_BYTES = 4;
/** Of the numbers of a state. */
const STATE_BYTES_ABOUT = 16;

const blockKinds = { head: 0, entries: 1, end: 2 } as const;

interface OldHead {
  readonly revision: StoreRevision;
  readonly compacted: StoreRevision;
  readonly lastGranted: LeaseId;
  readonly leases: readonly Lease[];
}
export interface SnapshotHead extends OldHead {
  readonly sizeLimit: SizeLimit;
  readonly wantedGrants: number;
  /** Of the leases that are there. */
  readonly grants: readonly WantedGrant[];
}

const oldHead = {
  revision: varint,
  compacted: varint,
  lastGranted: varint,
  leases: listOf(fields<Lease>({ lease: varint, ttlMs: varint })),
};
const oldHeadCodec = fields<OldHead>(oldHead);
const headCodec = fields<SnapshotHead>({
  ...oldHead,
  sizeLimit: fields<SizeLimit>({ sizeBytesMax: varint, exemptPrefix: text }),
  wantedGrants: varint,
  grants: listOf(fields<WantedGrant>({ lease: varint, grant: varint })),
});

/** What must be true of the store that comes out. */
interface End {
  readonly keys: number;
  readonly hash: string;
}
const endCodec = fields<End>({ keys: varint, hash: text });

const change = fields<Pick<State, 'modRevision' | 'version'>>({ modRevision: varint, version: varint });
const content = fields<Pick<State, 'createRevision' | 'packed' | 'lease'>>({
  createRevision: varint,
  packed: packedBytes,
  lease: varint,
});
const DELETED = { createRevision: 0, packed: '', lease: 0 };

/** By hand: a deletion is nothing but its revision, and the key is that of the entry. */
const stateCodec: Codec<Omit<State, 'key'>> = {
  write(writer, state) {
    change.write(writer, state);
    if (state.version > 0) content.write(writer, state);
  },
  read(reader) {
    const { modRevision, version } = change.read(reader);
    const { createRevision, packed, lease } = version === 0 ? DELETED : content.read(reader);
    return { modRevision, createRevision, version, packed, lease };
  },
};
const statesCodec = listOf(stateCodec);

/** The store as it is at this call, in chunks of a megabyte at most that may be taken while it goes on. */
export function snapshotOf(store: MvccStore): Iterable<Uint8Array> {
  const { index, leases, sizeLimit } = store.parts;
  const { revision, compactedRevision: compacted } = store;
  const { lastGranted, wantedGrants } = leases;
  const granted = { lastGranted, leases: leases.list(), wantedGrants, grants: leases.grants() };
  const head = { revision, compacted, ...granted, sizeLimit };
  return chunksOf(head, index.capture(), { keys: index.size, hash: store.presentHash });
}

function* chunksOf(
  head: SnapshotHead,
  entries: Iterable<Entry>,
  end: End,
): Generator<Uint8Array, void, undefined> {
  yield Uint8Array.of(SNAPSHOT_VERSION);
  const writer = new ByteWriter();
  headCodec.write(begun(writer, blockKinds.head), head);
  yield* taken(writer);
  begun(writer, blockKinds.entries);
  for (const { key, states } of entries) {
    let from = 0;
    // What came after the snapshot was begun is not of it.
    const until = countUpTo(states, head.revision);
    while (from < until) {
      from += writePart(writer, key, until - from === states.length ? states : states.slice(from, until));
      if (writer.length < BLOCK_BYTES) continue;
      yield* taken(writer);
      begun(writer, blockKinds.entries);
    }
  }
  yield* taken(writer);
  endCodec.write(begun(writer, blockKinds.end), end);
  yield* taken(writer);
}

/** Of a key, as many states as the block takes; returns how many these are. */
function writePart(writer: ByteWriter, key: string, states: readonly State[]): number {
  let size = writer.length;
  let count = 0;
  while (count < states.length && (count === 0 || size < BLOCK_BYTES)) {
    size += (states[count] as State).packed.length + STATE_BYTES_ABOUT;
    count += 1;
  }
  writer.text(key);
  statesCodec.write(writer, count === states.length ? states : states.slice(0, count));
  return count;
}

function countUpTo(states: readonly State[], revision: StoreRevision): number {
  let count = states.length;
  while (count > 0 && (states[count - 1] as State).modRevision > revision) count -= 1;
  return count;
}

function begun(writer: ByteWriter, kind: number): ByteWriter {
  for (let i = 0; i < LENGTH_BYTES; i++) writer.uint8(0);
  return writer.uint8(kind);
}

/** The block, with its length. */
function* taken(writer: ByteWriter): Generator<Uint8Array, void, undefined> {
  const block = writer.copy();
  new DataView(block.buffer).setUint32(0, block.length - LENGTH_BYTES, true);
  for (let at = 0; at < block.length; at += CHUNK_BYTES_MAX) yield block.subarray(at, at + CHUNK_BYTES_MAX);
}

/** Takes a snapshot as it comes, and makes the store of it. */
export class SnapshotReader {
  #version: number | null = null;
  #builder: StoreBuilder | null = null;
  #end: End | null = null;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(private readonly rules: StoreRules = soundStoreRules) {}

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    if (this.#version === null) this.#readVersion();
    if (this.#version !== SNAPSHOT_VERSION) return;
    for (let length = this.#nextLength(); length !== null; length = this.#nextLength()) {
      this.#block(this.#take(LENGTH_BYTES + length).subarray(LENGTH_BYTES));
    }
  }

  finish(): MvccStore {
    if (this.#version === OLD_SNAPSHOT_VERSION)
      return readOldSnapshot(this.#take(this.#pendingBytes), this.rules);
    if (this.#end === null || this.#builder === null || this.#pendingBytes > 0) {
      throw new MalformedBytesError('the snapshot has no end');
    }
    const store = this.#builder.finish();
    if (store.keyCount !== this.#end.keys || store.presentHash !== this.#end.hash) {
      throw new MalformedBytesError('the snapshot does not have the hash that it was written with');
    }
    return store;
  }

  #readVersion(): void {
    const [version] = this.#take(1) as Uint8Array & { readonly 0: number };
    if (version !== SNAPSHOT_VERSION && version !== OLD_SNAPSHOT_VERSION) {
      throw new MalformedBytesError(`snapshot version ${version} is not known`);
    }
    this.#version = version;
  }

  /** Of the next block, or null while it is not here as a whole. */
  #nextLength(): number | null {
    if (this.#pendingBytes < LENGTH_BYTES) return null;
    if ((this.#pending[0] as Uint8Array).length < LENGTH_BYTES) this.#join();
    const first = this.#pending[0] as Uint8Array;
    const length = new DataView(first.buffer, first.byteOffset).getUint32(0, true);
    return this.#pendingBytes < LENGTH_BYTES + length ? null : length;
  }

  #take(length: number): Uint8Array {
    if (this.#pending.length !== 1) this.#join();
    const all = this.#pending[0] ?? NO_VALUE;
    this.#pending = length < all.length ? [all.subarray(length)] : [];
    this.#pendingBytes -= length;
    return all.subarray(0, length);
  }

  #join(): void {
    const joined = new Uint8Array(this.#pendingBytes);
    let at = 0;
    for (const part of this.#pending) {
      joined.set(part, at);
      at += part.length;
    }
    this.#pending = [joined];
  }

  #block(bytes: Uint8Array): void {
    if (this.#end !== null) throw new MalformedBytesError('bytes after the end of the snapshot');
    const reader = new ByteReader(bytes);
    const kind = uint8.read(reader);
    if (kind === blockKinds.head && this.#builder === null) {
      this.#builder = new StoreBuilder(headCodec.read(reader), this.rules);
    } else if (kind === blockKinds.entries && this.#builder !== null) {
      while (!reader.atEnd) readEntry(reader, this.#builder);
    } else if (kind === blockKinds.end) this.#end = endCodec.read(reader);
    else throw new MalformedBytesError('a block out of place');
    reader.end();
  }
}

export function storeOf(snapshot: Iterable<Uint8Array>, rules?: StoreRules): MvccStore {
  const reader = new SnapshotReader(rules);
  for (const chunk of snapshot) reader.push(chunk);
  return reader.finish();
}

function readEntry(reader: ByteReader, builder: StoreBuilder): void {
  const key = reader.text();
  builder.add(
    key,
    statesCodec.read(reader).map((state) => ({ key, ...state })),
  );
}

/** All in one piece. */
function readOldSnapshot(bytes: Uint8Array, rules: StoreRules): MvccStore {
  const reader = new ByteReader(bytes);
  const unknown = { sizeLimit: noSizeLimit, wantedGrants: 0, grants: [] };
  const builder = new StoreBuilder({ ...oldHeadCodec.read(reader), ...unknown }, rules);
  const count = reader.count();
  for (let i = 0; i < count; i++) readEntry(reader, builder);
  reader.end();
  return builder.finish();
}
