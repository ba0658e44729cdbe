/**
 * A frame that is too long to be sent at once goes in pieces, which short frames overtake. Whoever receives a piece says
 * so, and the sender keeps no more than a window of pieces on their way: so nothing gathers between the two. Neither is
 * ever repeated: a lost piece loses its frame, as a lost message does.
 */
import { type ByteReader, ByteWriter, MalformedBytesError } from '@ringleader/primitives';
import { reserveEnvelope } from '../transport/envelope.js';
import {
  decodeFrame,
  expectFrameKind,
  FRAME_BYTES_MAX,
  type MalformedFrame,
  writeFrameStart,
} from './frame.js';

/** What is longer goes in pieces. */
export const PIECE_BYTES = 128 * 1024;

export interface Piece {
  readonly kind: 'piece';
  /** The sender's number for the whole. */
  readonly parcel: number;
  readonly totalBytes: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** "Of this parcel I took what comes before `end`, and all that was sent before it." */
export interface Receipt {
  readonly kind: 'receipt';
  readonly parcel: number;
  readonly end: number;
}

const HEADER_BYTES_MAX = 64;

/** With room for its envelope, as a receipt. */
export function encodePiece({ parcel, totalBytes, offset, bytes }: Omit<Piece, 'kind'>): Buffer {
  const writer = new ByteWriter(HEADER_BYTES_MAX + bytes.length);
  reserveEnvelope(writer);
  writeFrameStart(writer, 'piece');
  writer.varint(parcel);
  writer.varint(totalBytes);
  writer.varint(offset);
  writer.bytes(bytes);
  return writer.take();
}

export function encodeReceipt({ parcel, end }: Omit<Receipt, 'kind'>): Buffer {
  const writer = new ByteWriter(HEADER_BYTES_MAX);
  reserveEnvelope(writer);
  writeFrameStart(writer, 'receipt');
  writer.varint(parcel);
  writer.varint(end);
  return writer.take();
}

export function decodePiece(frame: Uint8Array): Piece | MalformedFrame {
  return decodeFrame(frame, readPiece);
}

function readPiece(reader: ByteReader): Piece {
  expectFrameKind(reader, 'piece');
  const parcel = reader.varint();
  const totalBytes = reader.varint();
  const offset = reader.varint();
  const bytes = reader.bytes();
  if (totalBytes > FRAME_BYTES_MAX || bytes.length === 0 || offset + bytes.length > totalBytes) {
    throw new MalformedBytesError('a piece outside of its parcel');
  }
  reader.end();
  return { kind: 'piece', parcel, totalBytes, offset, bytes };
}

export function decodeReceipt(frame: Uint8Array): Receipt | MalformedFrame {
  return decodeFrame(frame, (reader) => {
    expectFrameKind(reader, 'receipt');
    const receipt: Receipt = { kind: 'receipt', parcel: reader.varint(), end: reader.varint() };
    reader.end();
    return receipt;
  });
}
