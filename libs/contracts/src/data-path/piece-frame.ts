/**
 * A frame that is too long to be sent at once goes in pieces, which short frames overtake. Whoever receives a piece says
 * so, and the sender keeps no more than a window of pieces on their way: so nothing gathers between the two. Neither is
 * ever repeated: a lost piece loses its frame, as a lost message does.
 */
import {
  bytes,
  type ByteReader,
  ByteWriter,
  fields,
  MalformedBytesError,
  varint,
} from '@ringleader/primitives';
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

const placeCodec = fields<Omit<Piece, 'kind' | 'bytes'>>({
  parcel: varint,
  totalBytes: varint,
  offset: varint,
});
const pieceCodec = fields<Omit<Piece, 'kind'>>({
  parcel: varint,
  totalBytes: varint,
  offset: varint,
  bytes,
});
const receiptCodec = fields<Omit<Receipt, 'kind'>>({ parcel: varint, end: varint });

export interface PieceInParts extends Omit<Piece, 'kind' | 'bytes'> {
  readonly bytes: readonly Uint8Array[];
}

/** Memory for a piece's frame that is made again and again. */
export function memoryForPiece(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(HEADER_BYTES_MAX + bytes);
}

/** With room for its envelope, as a receipt; in memory that was made for it. */
export function encodePiece(piece: PieceInParts, memory?: Buffer): Buffer {
  const bytesOfParts = piece.bytes.reduce((sum, { length }) => sum + length, 0);
  const writer = new ByteWriter(memory ?? memoryForPiece(bytesOfParts));
  reserveEnvelope(writer);
  writeFrameStart(writer, 'piece');
  placeCodec.write(writer, piece);
  writer.varint(bytesOfParts);
  for (const part of piece.bytes) writer.raw(part);
  return writer.take();
}

export function encodeReceipt(receipt: Omit<Receipt, 'kind'>): Buffer {
  const writer = new ByteWriter(HEADER_BYTES_MAX);
  reserveEnvelope(writer);
  writeFrameStart(writer, 'receipt');
  receiptCodec.write(writer, receipt);
  return writer.take();
}

export function decodePiece(frame: Uint8Array): Piece | MalformedFrame {
  return decodeFrame(frame, readPiece);
}

function readPiece(reader: ByteReader): Piece {
  expectFrameKind(reader, 'piece');
  const piece = pieceCodec.read(reader);
  const { totalBytes, offset } = piece;
  const end = offset + piece.bytes.length;
  if (totalBytes > FRAME_BYTES_MAX || end === offset || end > totalBytes) {
    throw new MalformedBytesError('a piece outside of its parcel');
  }
  reader.end();
  return { kind: 'piece', ...piece };
}

export function decodeReceipt(frame: Uint8Array): Receipt | MalformedFrame {
  return decodeFrame(frame, (reader) => {
    expectFrameKind(reader, 'receipt');
    const receipt = receiptCodec.read(reader);
    reader.end();
    return { kind: 'receipt' as const, ...receipt };
  });
}
