import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  instantArbitrary,
  integerArbitrary,
  leadershipArbitrary,
  messageArbitrary,
  replyArbitrary,
  requestArbitrary,
  textArbitrary,
} from '../../test/data-path.arbitraries.js';
import { isKeyed, type Row } from '@ringleader/paxos';
import { withMarksRead } from '../../test/marks-read.js';
import {
  appendPeerMessage,
  appendReply,
  appendRequest,
  ByteReader,
  ByteWriter,
  decodeLeadersFrame,
  decodePeerFrame,
  decodeReplyFrame,
  decodeRequestFrame,
  encodeLeadersFrame,
  type MalformedFrame,
  type PeerFrame,
  requestMarksCodec,
  startPeerFrame,
  startReplyFrame,
  startRequestFrame,
} from './index.js';

const peerFrames = fc
  .record({
    from: integerArbitrary,
    hybridTime: instantArbitrary,
    messages: fc.array(messageArbitrary, { maxLength: 12 }),
  })
  .map((frame) => ({ kind: 'peer' as const, ...frame }));
const requestFrames = fc
  .record({
    gatewayId: textArbitrary,
    hybridTime: instantArbitrary,
    requests: fc.array(requestArbitrary, { maxLength: 12 }),
  })
  .map((frame) => ({ kind: 'requests' as const, ...frame }));
const replyFrames = fc
  .record({
    servedBy: integerArbitrary,
    hybridTime: instantArbitrary,
    replies: fc.array(replyArbitrary, { maxLength: 12 }),
  })
  .map((frame) => ({ kind: 'replies' as const, ...frame }));

type Arbitrated<T> = T extends fc.Arbitrary<infer U> ? U : never;

function encodePeer(writer: ByteWriter, frame: PeerFrame): Buffer {
  startPeerFrame(writer, frame);
  for (const message of frame.messages) appendPeerMessage(writer, message);
  return writer.take();
}

function encodeRequests(writer: ByteWriter, frame: Arbitrated<typeof requestFrames>): Buffer {
  startRequestFrame(writer, frame);
  for (const request of frame.requests) appendRequest(writer, request);
  return writer.take();
}

function encodeReplies(writer: ByteWriter, frame: Arbitrated<typeof replyFrames>): Buffer {
  startReplyFrame(writer, frame);
  for (const reply of frame.replies) appendReply(writer, reply.token, reply);
  return writer.take();
}

/** Every kind of frame, encoded, with the decoder that it is for. */
const anyFrame = fc.oneof(
  peerFrames.map((frame) => ({ bytes: encodePeer(new ByteWriter(), frame), decode: decodePeerFrame })),
  requestFrames.map((frame) => ({
    bytes: encodeRequests(new ByteWriter(), frame),
    decode: decodeRequestFrame,
  })),
  replyFrames.map((frame) => ({ bytes: encodeReplies(new ByteWriter(), frame), decode: decodeReplyFrame })),
  fc.array(leadershipArbitrary).map((leaderships) => ({
    bytes: encodeLeadersFrame(new ByteWriter(), { from: 7, hybridTime: 5 }, leaderships),
    decode: decodeLeadersFrame,
  })),
);

const decoders = [decodePeerFrame, decodeRequestFrame, decodeReplyFrame, decodeLeadersFrame];

function rowsOfBatches(frame: PeerFrame | MalformedFrame): readonly Row[] {
  const messages = frame.kind === 'peer' ? frame.messages : [];
  return messages.flatMap((message) =>
    message.kind === 'accepts' ? message.batches.flatMap(({ rows }) => rows) : [],
  );
}

describe('the data path codec', () => {
  it('keeps the marks of a batch as the bytes that came, and says whether one may be of a keyed write', () => {
    const writer = new ByteWriter(16);
    fc.assert(
      fc.property(peerFrames, (frame) => {
        const bytes = encodePeer(writer, frame);
        const read = decodePeerFrame(bytes);
        expect(read.kind === 'peer' && encodePeer(writer, read)).toEqual(bytes);
        for (const { requests } of rowsOfBatches(read)) {
          requestMarksCodec.write(writer, requests);
          const written = writer.take();
          expect(requestMarksCodec.read(new ByteReader(written))).toEqual(requests);
          expect(requests.mayBeKeyed ?? false).toBe([...requests].some(({ id }) => isKeyed(id)));
          expect(requests).toHaveLength([...requests].length);
        }
      }),
    );
  });

  it('gives back every peer message that it was given', () => {
    const writer = new ByteWriter(16);
    fc.assert(
      fc.property(peerFrames, (frame) => {
        expect(withMarksRead(decodePeerFrame(encodePeer(writer, frame)))).toEqual(frame);
      }),
      { numRuns: 300 },
    );
  });

  it('gives back every request that it was given', () => {
    const writer = new ByteWriter(16);
    fc.assert(
      fc.property(requestFrames, (frame) => {
        expect(decodeRequestFrame(encodeRequests(writer, frame))).toEqual(frame);
      }),
      { numRuns: 200 },
    );
  });

  it('gives back every reply that it was given', () => {
    const writer = new ByteWriter(16);
    fc.assert(
      fc.property(replyFrames, (frame) => {
        expect(withMarksRead(decodeReplyFrame(encodeReplies(writer, frame)))).toEqual(frame);
      }),
      { numRuns: 200 },
    );
  });

  it('gives back leaderships', () => {
    const writer = new ByteWriter();
    fc.assert(
      fc.property(fc.array(leadershipArbitrary), integerArbitrary, (leaderships, from) => {
        const header = { from, hybridTime: from };
        const bytes = encodeLeadersFrame(writer, header, leaderships);
        expect(decodeLeadersFrame(bytes)).toEqual({ kind: 'leaders', ...header, leaderships });
      }),
    );
  });

  it('sends a reply under the token of the gateway, not under its own', () => {
    const writer = new ByteWriter();
    startReplyFrame(writer, { servedBy: 2, hybridTime: 5 });
    appendReply(writer, 99, { kind: 'overloaded', token: 1 });
    const frame = decodeReplyFrame(writer.take());
    expect(frame).toMatchObject({ replies: [{ kind: 'overloaded', token: 99 }] });
  });

  it('answers a truncated frame with "malformed", or with the whole items before the cut', () => {
    fc.assert(
      fc.property(anyFrame, fc.double({ min: 0, max: 1, noNaN: true }), ({ bytes, decode }, fraction) => {
        const cut = bytes.subarray(0, Math.floor(bytes.length * fraction));
        const decoded = decode(cut);
        expect(typeof decoded.kind).toBe('string');
        if (cut.length < 2) expect(decoded.kind).toBe('malformed');
      }),
      { numRuns: 500 },
    );
  });

  it('never throws on changed bytes', () => {
    fc.assert(
      fc.property(anyFrame, fc.array(fc.tuple(fc.nat(), fc.nat(255))), ({ bytes, decode }, changes) => {
        const changed = Buffer.from(bytes);
        for (const [at, value] of changes) changed[at % changed.length] = value;
        expect(typeof decode(changed).kind).toBe('string');
      }),
      { numRuns: 1000 },
    );
  });

  it('never throws on garbage, nor reserves what a garbage length says', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(6), (garbage, kind) => {
        for (const decode of decoders) {
          expect(typeof decode(garbage).kind).toBe('string');
          expect(typeof decode(Buffer.concat([Buffer.from([1, kind]), garbage])).kind).toBe('string');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a frame of another version and a frame of another kind', () => {
    const writer = new ByteWriter();
    const bytes = encodeLeadersFrame(writer, { from: 1, hybridTime: 5 }, []);
    expect(decodePeerFrame(bytes)).toEqual({ kind: 'malformed', reason: 'another kind of frame' });
    bytes[0] = 9;
    expect(decodeLeadersFrame(bytes)).toEqual({ kind: 'malformed', reason: 'unknown version' });
  });
});

describe('ByteWriter', () => {
  it('never writes to bytes that it has handed out', () => {
    const writer = new ByteWriter(32);
    const first = (writer.string('first'), writer.take());
    const copy = Buffer.from(first);
    for (let i = 0; i < 10_000; i++) writer.varint(i);
    writer.take();
    expect(first.equals(copy)).toBe(true);
  });

  it('goes back to a shorter length', () => {
    const writer = new ByteWriter(8);
    writer.varint(5);
    const mark = writer.length;
    writer.string('too much');
    writer.truncate(mark);
    const reader = new ByteReader(writer.take());
    expect(reader.varint()).toBe(5);
    expect(reader.atEnd).toBe(true);
  });

  it('refuses values that are no varints', () => {
    const writer = new ByteWriter();
    for (const value of [-1, Number.NaN, Number.MAX_SAFE_INTEGER + 1]) {
      expect(() => {
        writer.varint(value);
      }).toThrow('varint');
    }
  });

  it('keeps the greatest varint and a string of many bytes', () => {
    const writer = new ByteWriter();
    writer.varint(Number.MAX_SAFE_INTEGER);
    writer.string('é'.repeat(1000));
    const reader = new ByteReader(writer.take());
    expect(reader.varint()).toBe(Number.MAX_SAFE_INTEGER);
    expect(reader.string()).toBe('é'.repeat(1000));
  });
});
