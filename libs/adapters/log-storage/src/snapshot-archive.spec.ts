import { describe, expect, it } from '@jest/globals';
import { type ArchiveHeader, ArchiveReader, archiveOf } from './snapshot-archive.js';

const HEADER: ArchiveHeader = {
  ...{ cluster: 'local', revision: 17, compactedRevision: 3, hash: '0123456789abcdef' },
  ...{ member: 'coordinator-1', takenAt: '2026-11-26T00:00:00.000Z', version: '0.1.0' },
};
const PIECES = [Buffer.from('one'), Buffer.alloc(100_000, 7), Buffer.from('three')];
const whole = Buffer.concat([...archiveOf(HEADER, PIECES)]);

function read(bytes: Buffer, step = bytes.length): { header: ArchiveHeader; content: Buffer } {
  const pieces: Uint8Array[] = [];
  const reader = new ArchiveReader((piece) => pieces.push(Buffer.from(piece)));
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
  return { header: reader.finish(), content: Buffer.concat(pieces) };
}

describe('the archive of a snapshot', () => {
  it.each([whole.length, 1_000, 7])('is read as it was written, in parts of %d bytes', (step) => {
    expect(read(whole, step)).toEqual({ header: HEADER, content: Buffer.concat(PIECES) });
  });

  it('is refused wherever it is cut off, and with anything behind its end', () => {
    for (const end of [0, 5, 12, 40, whole.length - 33, whole.length - 1]) {
      expect(() => read(whole.subarray(0, end))).toThrow('cut off');
    }
    expect(() => read(Buffer.concat([whole, Buffer.from('x')]))).toThrow('more behind its end');
  });

  it('is refused with any byte changed', () => {
    for (let at = 0; at < whole.length; at += at < 400 || at > whole.length - 60 ? 1 : 997) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      expect(() => read(damaged)).toThrow();
    }
  });

  it('is not taken for what it is not', () => {
    expect(() => read(Buffer.from('{"key": "value"}\n'))).toThrow('no snapshot of coordinators');
    const newer = Buffer.from(whole);
    newer.writeUInt32LE(2, 8);
    expect(() => read(newer)).toThrow('its format is 2');
  });
});
