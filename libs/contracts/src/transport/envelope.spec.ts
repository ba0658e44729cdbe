import { describe, expect, it } from '@jest/globals';
import { ByteWriter } from '@ringleader/primitives';
import fc from 'fast-check';
import { contentOf, openFrame, reserveEnvelope, sealFrame, WIRE_VERSION } from './envelope.js';

function sealed(content: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  reserveEnvelope(writer);
  for (const byte of content) writer.uint8(byte);
  return sealFrame(writer.take());
}

const contents = fc.uint8Array({ maxLength: 300 });
const refused = (refusal: string) => ({ kind: 'refused', refusal });

describe('an envelope', () => {
  it('gives back what was put into it, and what its sender understands', () => {
    fc.assert(
      fc.property(contents, (content) => {
        const opened = openFrame(sealed(content));
        expect(opened).toMatchObject({ kind: 'opened', understands: WIRE_VERSION });
        expect(opened.kind === 'opened' && new Uint8Array(opened.content)).toEqual(content);
      }),
    );
  });

  it('tells every changed bit behind the version, and every changed bit of the version', () => {
    fc.assert(
      fc.property(contents, fc.nat(), (content, at) => {
        const frame = sealed(content);
        const bit = at % (frame.length * 8);
        frame[bit >> 3]! ^= 1 << (bit & 7);
        const opened = openFrame(frame);
        // A bit of the mark makes it a bare frame, of a version that no bare frame has.
        if (bit >= 8) expect(opened).toEqual(refused('checksum'));
        else if (opened.kind === 'opened') expect(frame[0]).toBeGreaterThan(0x70);
        else expect(opened).toEqual(refused('version'));
      }),
      { numRuns: 500 },
    );
  });

  it('is refused where it is cut, of a later version, or not understood', () => {
    const frame = sealed(Uint8Array.of(1, 2, 3));
    expect(openFrame(frame.subarray(0, 4))).toEqual(refused('malformed'));
    expect(openFrame(frame.subarray(0, 8))).toEqual(refused('checksum'));
    expect(openFrame(Uint8Array.of(0xf3, ...frame.subarray(1)))).toEqual(refused('version'));
    expect(openFrame(frame, 1)).toEqual(refused('version'));
  });

  it('is not there around a bare frame', () => {
    const bare = Uint8Array.of(4, 1, 2);
    expect(openFrame(bare)).toEqual({ kind: 'opened', content: bare, understands: null });
    expect(openFrame(new Uint8Array())).toMatchObject({ kind: 'opened' });
    expect(contentOf(sealed(bare))).toEqual(Buffer.from(bare));
  });
});
