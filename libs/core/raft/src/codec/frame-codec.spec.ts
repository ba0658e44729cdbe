import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Introduction } from '../founding/founding.js';
import type { Message } from '../messages.js';
import { entryKinds } from '../types.js';
import { decodeFrame, encodeFrames, encodeIntroduction, frameForms } from './frame-codec.js';

const integer = fc.oneof(fc.nat(300), fc.maxSafeNat());
const bytes = fc.uint8Array({ maxLength: 300 });
const point = fc.record({ index: integer, term: integer });
const seated = fc.record({ seat: integer, id: integer });
const configuration = fc.record({
  voters: fc.array(seated, { maxLength: 3 }),
  outgoing: fc.array(seated, { maxLength: 3 }),
  learners: fc.array(
    fc.record({ seat: integer, id: integer, replaces: integer, isPromotedItself: fc.boolean() }),
    { maxLength: 3 },
  ),
  removed: fc.array(integer, { maxLength: 3 }),
});
const proposal = fc.record({ id: integer, data: bytes });
const entryKind = fc.constantFrom(...Object.values(entryKinds));

/** Indexes of entries follow from `prevIndex`. */
const append = fc
  .record({
    prevIndex: fc.nat(2 ** 40),
    prevTerm: integer,
    commit: integer,
    entries: fc.array(fc.record({ term: integer, kind: entryKind, data: bytes }), { maxLength: 5 }),
  })
  .map(({ entries, prevIndex, ...rest }) => ({
    kind: 'append' as const,
    prevIndex,
    ...rest,
    entries: entries.map((entry, i) => ({ ...entry, index: prevIndex + 1 + i })),
  }));

const bodies = {
  preVote: fc.record({ kind: fc.constant('preVote' as const), lastIndex: integer, lastTerm: integer }),
  preVoteReply: fc.record({ kind: fc.constant('preVoteReply' as const), granted: fc.boolean() }),
  vote: fc.record({
    kind: fc.constant('vote' as const),
    lastIndex: integer,
    lastTerm: integer,
    transfer: fc.boolean(),
  }),
  voteReply: fc.record({ kind: fc.constant('voteReply' as const), granted: fc.boolean() }),
  append,
  appendReply: fc.record({ kind: fc.constant('appendReply' as const), matchIndex: integer }),
  appendRefusal: fc.record({
    kind: fc.constant('appendRefusal' as const),
    refusedIndex: integer,
    hintIndex: integer,
    hintTerm: integer,
  }),
  heartbeat: fc.record({ kind: fc.constant('heartbeat' as const), commit: integer, readRound: integer }),
  heartbeatReply: fc.record({
    kind: fc.constant('heartbeatReply' as const),
    readRound: integer,
    isDiskFull: fc.boolean(),
  }),
  snapshotChunk: fc.record({
    kind: fc.constant('snapshotChunk' as const),
    point,
    chunkIndex: integer,
    chunkCount: integer,
    configuration: fc.option(configuration),
    data: bytes,
  }),
  snapshotReply: fc.record({
    kind: fc.constant('snapshotReply' as const),
    point,
    chunkIndex: integer,
    nextChunk: integer,
  }),
  propose: fc.record({
    kind: fc.constant('propose' as const),
    session: integer,
    proposals: fc.array(proposal, { maxLength: 4 }),
  }),
  proposeRefusal: fc.record({
    kind: fc.constant('proposeRefusal' as const),
    session: integer,
    ids: fc.array(integer, { maxLength: 4 }),
  }),
  readRequest: fc.record({ kind: fc.constant('readRequest' as const), session: integer, context: integer }),
  readReply: fc.record({
    kind: fc.constant('readReply' as const),
    session: integer,
    context: integer,
    index: integer,
  }),
  removed: fc.record({ kind: fc.constant('removed' as const), index: integer }),
  timeoutNow: fc.record({ kind: fc.constant('timeoutNow' as const) }),
  // A kind of message without a line here does not compile.
} satisfies Record<Message['kind'], fc.Arbitrary<unknown>>;

const envelope = fc.record({ from: integer, to: integer, term: integer });
const message = fc
  .tuple(fc.oneof(...Object.values(bodies)), envelope)
  .map(([body, addresses]) => ({ ...body, ...addresses }));
const messages = fc.array(message, { maxLength: 10 });

function decodeAll(frames: readonly Uint8Array[]): Message[] {
  return frames.flatMap((frame) => {
    const decoded = decodeFrame(frame);
    if (decoded.kind !== 'messages') throw new Error(`not messages, but ${decoded.kind}`);
    return [...decoded.messages];
  });
}

describe('frames', () => {
  it('carry any messages, in order, in as many frames as it takes', () => {
    fc.assert(
      fc.property(messages, fc.integer({ min: 1, max: 2_000 }), (sent, sizeBytesMax) => {
        const frames = encodeFrames(sent, sizeBytesMax);
        expect(decodeAll(frames)).toEqual(sent);
        // Only the last message of a frame goes beyond the size.
        for (const frame of frames) expect(frame.byteLength).toBeLessThan(sizeBytesMax + 4_000);
      }),
    );
  });

  it('carry introductions, which are nothing when they are cut short or followed by more', () => {
    const seated = fc.record({ seat: fc.nat(9), id: fc.maxSafeNat() });
    const introduction: fc.Arbitrary<Introduction> = fc
      .record({
        founders: fc.option(fc.array(seated, { maxLength: 5 })),
        isBegun: fc.boolean(),
        isQuestion: fc.boolean(),
      })
      .chain((rest) => seated.map((self) => ({ ...self, ...rest })));
    fc.assert(
      fc.property(introduction, fc.nat(), (told, at) => {
        const frame = encodeIntroduction(told);
        expect(decodeFrame(frame)).toEqual({ kind: 'introduction', introduction: told });
        expect(decodeFrame(frame.subarray(0, at % frame.byteLength)).kind).toBe('malformed');
        expect(decodeFrame(new Uint8Array([...frame, 0])).kind).toBe('malformed');
      }),
    );
  });

  it('carry introductions in the bytes that are recorded', () => {
    const told = { seat: 2, id: 2 ** 52, isQuestion: true, isBegun: false };
    const hexOf = (founders: Introduction['founders']): string =>
      Buffer.from(encodeIntroduction({ ...told, founders })).toString('hex');
    expect(hexOf(null)).toBe('0202808080808080800801000000');
    expect(hexOf([{ seat: 1, id: 300 }])).toBe('020280808080808080080100010101ac02');
  });

  it('that are cut short are malformed, or hold fewer messages', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 3 }), fc.nat(), (sent, at) => {
        const [frame] = encodeFrames(sent, 1_000_000);
        const decoded = decodeFrame(frame!.subarray(0, at % frame!.byteLength));
        if (decoded.kind === 'messages')
          expect(decoded.messages).toEqual(sent.slice(0, decoded.messages.length));
        if (decoded.kind === 'messages') expect(decoded.messages.length).toBeLessThan(sent.length);
      }),
    );
  });

  it('of any bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const kinds = ['messages', 'introduction', 'malformed'];
        expect(kinds).toContain(decodeFrame(noise).kind);
        for (const form of Object.values(frameForms))
          expect(kinds).toContain(decodeFrame(new Uint8Array([form, ...noise])).kind);
      }),
      { numRuns: 1_000 },
    );
  });

  it('are read as they were recorded from wire version 1', () => {
    const heartbeat = { kind: 'heartbeat', from: 1, to: 2, term: 3, commit: 200, readRound: 7 };
    const entries = [{ index: 301, term: 3, kind: 1, data: Uint8Array.of(1, 2) }];
    const append = {
      kind: 'append',
      from: 1,
      to: 2,
      term: 3,
      prevIndex: 300,
      prevTerm: 2,
      entries,
      commit: 299,
    };
    const recorded = Buffer.from('0107010203c8010704010203ac0202ab02010301020102', 'hex');
    expect(decodeFrame(recorded)).toEqual({ kind: 'messages', messages: [heartbeat, append] });
    const founders = [
      { seat: 1, id: 77 },
      { seat: 2, id: 88 },
    ];
    const introduction = { seat: 1, id: 77, founders, isBegun: false, isQuestion: true };
    const introduced = decodeFrame(Buffer.from('02014d01000102014d0258', 'hex'));
    expect(introduced).toEqual({ kind: 'introduction', introduction });
  });

  it('of another version are refused', () => {
    expect(decodeFrame(new Uint8Array([9, 0]))).toEqual({ kind: 'malformed', reason: 'version 9' });
  });

  it('are not kept by the messages taken from them', () => {
    const data = new Uint8Array([1, 2, 3]);
    const sent: Message[] = [
      { kind: 'propose', from: 1, to: 2, term: 3, session: 4, proposals: [{ id: 5, data }] },
    ];
    const [frame] = encodeFrames(sent, 1_000_000);
    const received = decodeAll([frame!]);
    frame!.fill(0xff);
    expect(received).toEqual(sent);
  });
});
