/**
 * A frame is one NATS message of the data path: a version byte, a kind byte, a header, then items up to its end (in an
 * envelope, transport/envelope.ts).
 * Whoever receives a frame of another version or of a wrong shape counts it and drops it: messages may be lost anyway.
 */
import { ByteReader, MalformedBytesError, type ByteWriter } from '@ringleader/primitives';
import type { FrameRefusal } from '../transport/envelope.js';

/**
 * 2: a page of a copy names the dedupe floor of its source, without which a repeat could be done twice.
 * 3: commit points go per pair of shards.
 * 4: batches of all partitions go as one message, and are answered by its number.
 */
const DATA_PATH_VERSION = 4;

/** A frame is closed when it has reached this size; with its last item it stays below FRAME_BYTES_MAX. */
export const FRAME_BYTES_TARGET = 1024 * 1024;

/** No frame may reach this (nats-server runs with max_payload 8 MB; half of it leaves room for every header). */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024;

const FRAME_KINDS = { peer: 1, requests: 2, replies: 3, leaders: 4, piece: 5, receipt: 6 } as const;
export type FrameKind = keyof typeof FRAME_KINDS;

export interface MalformedFrame {
  readonly kind: 'malformed';
  readonly reason: string;
}

const UNKNOWN_VERSION = 'unknown version';

export function refusalOf({ reason }: MalformedFrame): FrameRefusal {
  return reason === UNKNOWN_VERSION ? 'version' : 'malformed';
}

export function writeFrameStart(writer: ByteWriter, kind: FrameKind): void {
  writer.uint8(DATA_PATH_VERSION);
  writer.uint8(FRAME_KINDS[kind]);
}

export function expectFrameKind(reader: ByteReader, kind: FrameKind): void {
  if (reader.uint8() !== DATA_PATH_VERSION) throw new MalformedBytesError(UNKNOWN_VERSION);
  if (reader.uint8() !== FRAME_KINDS[kind]) throw new MalformedBytesError('another kind of frame');
}

/** Of a frame of this version; null for anything else. Reads no more than the beginning. */
export function frameKindOf(frame: Uint8Array): FrameKind | null {
  if (frame[0] !== DATA_PATH_VERSION) return null;
  const kinds = Object.keys(FRAME_KINDS) as FrameKind[];
  return kinds.find((kind) => FRAME_KINDS[kind] === frame[1]) ?? null;
}

/** Runs a reader over the frame; what it throws about the frame's shape becomes a value. */
export function decodeFrame<T>(bytes: Uint8Array, read: (reader: ByteReader) => T): T | MalformedFrame {
  try {
    return read(new ByteReader(bytes));
  } catch (error) {
    if (error instanceof MalformedBytesError) return { kind: 'malformed', reason: error.message };
    throw error;
  }
}
