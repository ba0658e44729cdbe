/**
 * Frames as the version before wrote them, recorded (testdata/wire-version-1.json): this version reads them. A change of
 * a message that makes this fail needs a new wire version, whose messages go to whoever understands them only.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { withMarksRead } from '../../test/marks-read.js';
import { openFrame } from '../transport/envelope.js';
import { decodeLeadersFrame, decodePeerFrame, decodeReplyFrame, decodeRequestFrame } from './index.js';

interface Recorded {
  readonly hex: string;
  readonly frame: { readonly kind: keyof typeof decoders };
}

const decoders = {
  peer: (bytes: Uint8Array) => withMarksRead(decodePeerFrame(bytes)),
  requests: decodeRequestFrame,
  replies: (bytes: Uint8Array) => withMarksRead(decodeReplyFrame(bytes)),
  leaders: decodeLeadersFrame,
};

const recorded = JSON.parse(
  readFileSync(new URL('../../testdata/wire-version-1.json', import.meta.url), 'utf8'),
) as readonly Recorded[];

describe('frames of the previous wire version', () => {
  it('are of every kind', () => {
    expect(new Set(recorded.map(({ frame }) => frame.kind))).toEqual(new Set(Object.keys(decoders)));
  });

  it.each(recorded)('are read: $frame.kind', ({ hex, frame }) => {
    const opened = openFrame(Buffer.from(hex, 'hex'));
    expect(opened).toMatchObject({ kind: 'opened', understands: null });
    const read = opened.kind === 'opened' ? decoders[frame.kind](opened.content) : opened;
    expect(plain(read)).toEqual(frame);
  });
});

/** Bytes as hex, as they are recorded. */
function plain(value: unknown): unknown {
  const text = JSON.stringify(value, (_, item: unknown) =>
    isBufferJson(item) ? Buffer.from(item.data).toString('hex') : item,
  );
  return JSON.parse(text);
}

function isBufferJson(item: unknown): item is { readonly data: number[] } {
  return typeof item === 'object' && item !== null && 'type' in item && item.type === 'Buffer';
}
