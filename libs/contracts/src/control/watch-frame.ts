/** What a member pushes to a client's watch stream (watch-stream.ts), in an envelope (transport/envelope.ts). */
import {
  type ByteReader,
  type ByteWriter,
  type Codec,
  MalformedBytesError,
  boolean,
  copiedBytes,
  fields,
  listOf,
  oneOf,
  optional,
  text,
  varint,
} from '@ringleader/primitives';
import { type MalformedFrame, decodeFrame } from '../data-path/frame.js';

const WATCH_FRAME_VERSION = 1;

/** A key as it was after a change, or before. */
export interface WatchedItem {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: number;
}

/** Of a deletion, `item` has an empty value, version 0, and the deleting revision as modRevision. */
export interface WatchedEvent {
  readonly kind: 'put' | 'delete';
  readonly item: WatchedItem;
  /** What the key was before; null where that is not wanted, and where there was nothing. */
  readonly previous: WatchedItem | null;
}

/** An event, and whose it is. */
export interface WatchRecord {
  readonly watches: readonly number[];
  readonly event: WatchedEvent;
}

/** The watch asked for what is compacted: it has ended. */
export interface CancelledWatch {
  readonly id: number;
  readonly compactedRevision: number;
}

export interface WatchFrameHead {
  /** 1, 2, ...: one that is missing was lost. */
  readonly number: number;
  /** Everything up to this revision has been sent to all watches of the stream; 0 where some are behind. */
  readonly syncedRevision: number;
  /** Sent because time has passed, or because it was asked for. */
  readonly isSign: boolean;
  /** The member can serve no longer; nothing more comes. */
  readonly isLast: boolean;
  readonly cancelled: readonly CancelledWatch[];
  /** Watches of which the last revision here goes on in a later frame. All other revisions are whole. */
  readonly partial: readonly number[];
}

export interface WatchFrame extends WatchFrameHead {
  readonly kind: 'watch';
  /** For each watch in the order of revisions, and of keys within a revision. */
  readonly records: readonly WatchRecord[];
}

const itemCodec: Codec<WatchedItem> = fields<WatchedItem>({
  key: text,
  value: copiedBytes,
  createRevision: varint,
  modRevision: varint,
  version: varint,
  lease: varint,
});
const eventCodec = fields<WatchedEvent>({
  kind: oneOf<WatchedEvent['kind']>(['put', 'delete']),
  item: itemCodec,
  previous: optional(itemCodec),
});
const headCodec = fields<WatchFrameHead>({
  number: varint,
  syncedRevision: varint,
  isSign: boolean,
  isLast: boolean,
  cancelled: listOf(fields<CancelledWatch>({ id: varint, compactedRevision: varint })),
  partial: listOf(varint),
});
const idsCodec = listOf(varint);

/** An event is encoded once, for all frames that carry it. */
export function encodeWatchedEvent(writer: ByteWriter, event: WatchedEvent): Buffer {
  eventCodec.write(writer, event);
  return writer.take();
}

export interface EncodedWatchRecord {
  readonly watches: readonly number[];
  /** By `encodeWatchedEvent`. */
  readonly event: Buffer;
}

export function encodeWatchFrame(
  writer: ByteWriter,
  head: WatchFrameHead,
  records: readonly EncodedWatchRecord[],
): Buffer {
  writer.uint8(WATCH_FRAME_VERSION);
  headCodec.write(writer, head);
  for (const { watches, event } of records) {
    idsCodec.write(writer, watches);
    writer.raw(event);
  }
  return writer.take();
}

export function decodeWatchFrame(content: Uint8Array): WatchFrame | MalformedFrame {
  return decodeFrame(content, readWatchFrame);
}

function readWatchFrame(reader: ByteReader): WatchFrame {
  if (reader.uint8() !== WATCH_FRAME_VERSION) throw new MalformedBytesError('unknown version');
  const head = headCodec.read(reader);
  const records: WatchRecord[] = [];
  while (!reader.atEnd) records.push({ watches: idsCodec.read(reader), event: eventCodec.read(reader) });
  return { kind: 'watch', ...head, records };
}
