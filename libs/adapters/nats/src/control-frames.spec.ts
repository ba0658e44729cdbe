import { describe, expect, it } from '@jest/globals';
import type { Frame } from './control-frames.js';
import {
  FRAME_LENGTH_MAX,
  answerPart,
  callPart,
  clockFrame,
  emptyFrame,
  framesOf,
  readAnswer,
  readCall,
  readClock,
  readFrame,
} from './control-frames.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function partsIn(frame: Frame | undefined): readonly unknown[] {
  const parts = readFrame(frame?.data ?? bytes(''));
  if (typeof parts === 'string') throw new Error(parts);
  return parts;
}

describe('frames of control calls', () => {
  it('carry calls and answers unchanged, in their order', () => {
    const requests = [{ key: 'ä"\\\u2028' }, {}, { nested: [1, null, { deep: true }] }];
    const [frame, ...others] = framesOf(requests.map((request, i) => callPart(i + 1, `do-${i}`, request)));
    expect(others).toEqual([]);
    expect(partsIn(frame).map(readCall)).toEqual(
      requests.map((request, i) => ({ id: i + 1, operation: `do-${i}`, request, notAfter: null })),
    );
    const [answers] = framesOf([answerPart(7, { kind: 'response', response: { ok: 1 } })]);
    expect(partsIn(answers).map(readAnswer)).toEqual([
      { id: 7, envelope: { kind: 'response', response: { ok: 1 } } },
    ]);
  });

  it('say after when a call is not to begin any more, and what time it is', () => {
    const notAfter = { life: 'a', ms: 17.5 };
    const [frame] = framesOf([callPart(1, 'do', {}, notAfter)]);
    expect(partsIn(frame).map(readCall)).toEqual([{ id: 1, operation: 'do', request: {}, notAfter }]);
    expect(readClock(clockFrame(notAfter))).toEqual(notAfter);
    // Of a member of an earlier version; and what is no frame at all.
    expect([readClock(emptyFrame()), readClock(bytes('x'))]).toEqual([null, null]);
  });

  it('are closed before they are too long, unless one part alone is', () => {
    const lengths = [10, FRAME_LENGTH_MAX / 2, FRAME_LENGTH_MAX / 2, 10, 3 * FRAME_LENGTH_MAX, 10, 10];
    const parts = lengths.map((length, i) => answerPart(i, 'x'.repeat(length)));
    const frames = framesOf(parts);
    expect(frames.map(({ count }) => count)).toEqual([2, 2, 1, 2]);
    expect(frames.flatMap(partsIn)).toHaveLength(parts.length);
  });

  it.each(['', '{}', 'null', '[', '"text"'])('are not made of %j', (text) => {
    expect(readFrame(bytes(text))).toBe('malformed');
  });

  it('are dropped where they are not as they left', () => {
    const [frame] = framesOf([answerPart(1, { kind: 'response', response: { value: 'abc' } })]);
    const data = Buffer.from(frame?.data ?? '');
    data.write('abd', data.indexOf('abc'));
    expect(readFrame(data)).toBe('checksum');
  });

  it.each([null, 1, {}, [], ['1', 'op', {}], [1, 2, {}], [1.5, 'op', {}], [1, 'op', {}, 5]])(
    'have no call %j',
    (part) => {
      expect(readCall(part)).toBeNull();
    },
  );

  it.each([null, 1, {}, [], ['1', {}], [0.1, {}]])('have no answer %j', (part) => {
    expect(readAnswer(part)).toBeNull();
  });
});
