import { describe, expect, it } from '@jest/globals';
import { ByteWriter } from '@ringleader/primitives';
import { type WatchedEvent, decodeWatchFrame, encodeWatchFrame, encodeWatchedEvent } from './watch-frame.js';

const item = {
  key: 'é',
  value: Uint8Array.of(0xff, 0),
  createRevision: 2,
  modRevision: 300,
  version: 2,
  lease: 7,
};
const gone = { ...item, value: new Uint8Array(0), createRevision: 0, version: 0, lease: 0 };
const put: WatchedEvent = { kind: 'put', item, previous: null };
const deletion: WatchedEvent = { kind: 'delete', item: gone, previous: item };
const head = {
  ...{ number: 5, syncedRevision: 300, isSign: true, isLast: false },
  ...{ cancelled: [{ id: 3, compactedRevision: 9 }], partial: [200] },
};
const RECORDED =
  '0105ac020100010309' +
  '01c8010201c8010002c3a902ff0002ac02020700' +
  '01010102c3a90000ac0200000102c3a902ff0002ac020207';

describe('a frame of watches', () => {
  const writer = new ByteWriter();
  const records = [
    { watches: [1, 200], event: put },
    { watches: [1], event: deletion },
  ];

  it('has the bytes that are recorded, and is what it was', () => {
    const encoded = records.map(({ watches, event }) => ({
      watches,
      event: encodeWatchedEvent(writer, event),
    }));
    const frame = encodeWatchFrame(writer, head, encoded);
    expect(frame.toString('hex')).toBe(RECORDED);
    expect(decodeWatchFrame(frame)).toEqual({ kind: 'watch', ...head, records });
  });

  it('is refused where it is cut, or of another version', () => {
    const frame = Buffer.from(RECORDED, 'hex');
    for (const end of [0, 1, 5, frame.length - 1]) {
      expect(decodeWatchFrame(frame.subarray(0, end))).toMatchObject({ kind: 'malformed' });
    }
    frame[0] = 2;
    expect(decodeWatchFrame(frame)).toEqual({ kind: 'malformed', reason: 'unknown version' });
  });
});
