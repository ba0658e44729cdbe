import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { contentOf } from '../transport/envelope.js';
import { FRAME_BYTES_MAX, frameKindOf } from './frame.js';
import { decodePiece, decodeReceipt, encodePiece, encodeReceipt } from './piece-frame.js';

const number = fc.integer({ min: 0, max: 2 ** 48 });
const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });

/** Pieces that lie in their parcel. */
const pieces = fc
  .record({ parcel: number, offset: fc.integer({ min: 0, max: 1_000_000 }), bytes, rest: fc.nat(1_000) })
  .map(({ rest, ...piece }) => ({ ...piece, totalBytes: piece.offset + piece.bytes.length + rest }));

describe('pieces and receipts', () => {
  it('are given back as they were', () => {
    fc.assert(
      fc.property(pieces, number, (piece, end) => {
        const frame = contentOf(encodePiece({ ...piece, bytes: [piece.bytes] }));
        expect(frameKindOf(frame)).toBe('piece');
        expect(decodePiece(frame)).toEqual({ kind: 'piece', ...piece, bytes: Buffer.from(piece.bytes) });
        const receipt = contentOf(encodeReceipt({ parcel: piece.parcel, end }));
        expect(frameKindOf(receipt)).toBe('receipt');
        expect(decodeReceipt(receipt)).toEqual({ kind: 'receipt', parcel: piece.parcel, end });
      }),
    );
  });

  it('are refused when they were cut, or when something follows them', () => {
    fc.assert(
      fc.property(pieces, fc.nat(), (piece, at) => {
        const frames = [
          contentOf(encodePiece({ ...piece, bytes: [piece.bytes] })),
          contentOf(encodeReceipt({ parcel: 9, end: 300 })),
        ];
        for (const frame of frames) {
          const wrong = [frame.subarray(0, at % frame.length), Buffer.concat([frame, Buffer.of(0)])];
          for (const each of wrong) {
            expect(decodePiece(each)).toMatchObject({ kind: 'malformed' });
            expect(decodeReceipt(each)).toMatchObject({ kind: 'malformed' });
          }
        }
      }),
    );
  });

  it.each([
    ['beyond the end of its parcel', { offset: 5, totalBytes: 6, bytes: Buffer.alloc(2) }],
    ['of a parcel that is too long', { offset: 0, totalBytes: FRAME_BYTES_MAX + 1, bytes: Buffer.alloc(2) }],
    ['without bytes', { offset: 0, totalBytes: 6, bytes: Buffer.alloc(0) }],
  ])('a piece %s is refused', (_what, piece) => {
    expect(decodePiece(contentOf(encodePiece({ parcel: 1, ...piece, bytes: [piece.bytes] })))).toMatchObject({
      kind: 'malformed',
    });
  });

  it('have the bytes that they always had', () => {
    const piece = encodePiece({
      parcel: 300,
      totalBytes: 5,
      offset: 3,
      bytes: [Buffer.from('a'), Buffer.from('b')],
    });
    const told = [piece, encodeReceipt({ parcel: 300, end: 5 })].map((frame) =>
      Buffer.from(contentOf(frame).subarray(1)).toString('hex'),
    );
    expect(told).toEqual(['05ac020503026162', '06ac0205']);
  });
});
