/**
 * What every binary frame travels in, of Raft and of the data path, and the versions that there are of it.
 *
 *   1  bare: the content alone. Whoever understands more says so in a header of the NATS message, which older members ignore.
 *   2  sealed: a byte for the version, a checksum of all that follows, the highest version that the sender understands,
 *      the content.
 *
 * The last two versions are understood. Which one is spoken is negotiated per receiver (libs/adapters/nats/src/frame-wire.ts),
 * so that members of two versions work together while a cluster is upgraded one by one.
 */
import { crc32 } from 'node:zlib';
import type { ByteWriter } from '@ringleader/primitives';

export type WireVersion = 1 | 2;

export const WIRE_VERSION: WireVersion = 2;
export const OLDEST_WIRE_VERSION: WireVersion = 1;
const SEALED = 2;

/** In the headers of a bare frame: the highest version that the sender understands. */
export const WIRE_HEADER = 'Ringleader-Wire';

/** Marks the version in the first byte: four bits away from every first byte of a bare frame, which is a small number. */
const MARK = 0xf0;

const CHECKSUM_AT = 1;
const SUMMED_AT = 5;
/** How long the envelope is: the content of a sealed frame begins here. */
export const CONTENT_AT = 6;

/** Why a frame was dropped: few, for a label of a metric. */
export const FRAME_REFUSALS = [
  'checksum',
  'version',
  'malformed',
  'misattributed',
  'implausible',
  'error',
] as const;
export type FrameRefusal = (typeof FRAME_REFUSALS)[number];

/** At the start of a frame: room in front of the content, so that no frame is copied to be sealed. */
export function reserveEnvelope(writer: ByteWriter): void {
  for (let i = 0; i < CONTENT_AT; i += 1) writer.uint8(0);
}

/** The content of a frame that was begun with `reserveEnvelope`: the bare frame. */
export function contentOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(CONTENT_AT);
}

/** Fills in what was reserved, in place: the frame as it travels. */
export function sealFrame(frame: Uint8Array): Uint8Array {
  frame[0] = MARK | SEALED;
  frame[CONTENT_AT - 1] = WIRE_VERSION;
  const sum = crc32(frame.subarray(SUMMED_AT));
  for (let i = 0; i < 4; i += 1) frame[CHECKSUM_AT + i] = (sum >>> (8 * i)) & 0xff;
  return frame;
}

export type OpenedFrame =
  | {
      readonly kind: 'opened';
      readonly content: Uint8Array;
      /** The highest version that the sender understands; null for a bare frame, which says it in a header or not at all. */
      readonly understands: number | null;
    }
  | { readonly kind: 'refused'; readonly refusal: FrameRefusal };

/** Takes a frame out of its envelope. `understood`: the highest version that this member understands. */
export function openFrame(data: Uint8Array, understood: WireVersion = WIRE_VERSION): OpenedFrame {
  const [first = 0] = data;
  if ((first & MARK) !== MARK) return { kind: 'opened', content: data, understands: null };
  if (first !== (MARK | SEALED) || understood < SEALED) return refused('version');
  if (data.length < CONTENT_AT) return refused('malformed');
  if (crc32(data.subarray(SUMMED_AT)) !== checksumIn(data)) return refused('checksum');
  return { kind: 'opened', content: data.subarray(CONTENT_AT), understands: data[CONTENT_AT - 1]! };
}

function refused(refusal: FrameRefusal): OpenedFrame {
  return { kind: 'refused', refusal };
}

function checksumIn(data: Uint8Array): number {
  let sum = 0;
  for (let i = 3; i >= 0; i -= 1) sum = sum * 256 + data[CHECKSUM_AT + i]!;
  return sum;
}
