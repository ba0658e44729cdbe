import { describe, expect, it } from '@jest/globals';
import type { Message } from '../messages.js';
import { decodeFrame, encodeFrames } from './frame-codec.js';

type Recorded = { readonly [K in Message['kind']]: readonly [Extract<Message, { kind: K }>, hex: string] };

const envelope = { from: 1, to: 300, term: 2 ** 40 };
const point = { index: 70_000, term: 6 };
const data = Uint8Array.of(0xff, 0, 7);

/** One message of every kind as members have sent it since form 1; a kind without a record does not compile. */
const recorded: Recorded = {
  preVote: [{ kind: 'preVote', ...envelope, lastIndex: 5, lastTerm: 200 }, '0001ac0280808080802005c801'],
  preVoteReply: [{ kind: 'preVoteReply', ...envelope, granted: true }, '0101ac0280808080802001'],
  vote: [
    { kind: 'vote', ...envelope, lastIndex: 5, lastTerm: 200, transfer: true },
    '0201ac0280808080802005c80101',
  ],
  voteReply: [{ kind: 'voteReply', ...envelope, granted: false }, '0301ac0280808080802000'],
  append: [
    {
      kind: 'append',
      ...envelope,
      prevIndex: 127,
      prevTerm: 3,
      commit: 126,
      entries: [
        { index: 128, term: 4, kind: 0, data: new Uint8Array() },
        { index: 129, term: 5, kind: 1, data },
      ],
    },
    '0401ac028080808080207f037e02040000050103ff0007',
  ],
  appendReply: [{ kind: 'appendReply', ...envelope, matchIndex: 129 }, '0501ac028080808080208101'],
  appendRefusal: [
    { kind: 'appendRefusal', ...envelope, refusedIndex: 9, hintIndex: 8, hintTerm: 7 },
    '0601ac02808080808020090807',
  ],
  heartbeat: [{ kind: 'heartbeat', ...envelope, commit: 128, readRound: 11 }, '0701ac0280808080802080010b'],
  heartbeatReply: [
    { kind: 'heartbeatReply', ...envelope, readRound: 11, isDiskFull: false },
    '0801ac028080808080200b',
  ],
  snapshotChunk: [
    {
      kind: 'snapshotChunk',
      ...envelope,
      point,
      chunkIndex: 0,
      chunkCount: 3,
      configuration: { voters: [{ seat: 2, id: 300 }], outgoing: [], learners: [], removed: [8] },
      data,
    },
    '1001ac02808080808020f0a204060003010102ac020000010803ff0007',
  ],
  snapshotReply: [
    { kind: 'snapshotReply', ...envelope, point, chunkIndex: 2, nextChunk: 1 },
    '0a01ac02808080808020f0a204060201',
  ],
  propose: [
    { kind: 'propose', ...envelope, session: 2 ** 50, proposals: [{ id: 12, data }] },
    '0b01ac028080808080208080808080808002010c03ff0007',
  ],
  proposeRefusal: [
    { kind: 'proposeRefusal', ...envelope, session: 2 ** 50, ids: [12, 1_000] },
    '0c01ac028080808080208080808080808002020ce807',
  ],
  readRequest: [
    { kind: 'readRequest', ...envelope, session: 2 ** 50, context: 13 },
    '0d01ac0280808080802080808080808080020d',
  ],
  readReply: [
    { kind: 'readReply', ...envelope, session: 2 ** 50, context: 13, index: 14 },
    '0e01ac0280808080802080808080808080020d0e',
  ],
  timeoutNow: [{ kind: 'timeoutNow', ...envelope }, '0f01ac02808080808020'],
  removed: [{ kind: 'removed', ...envelope, index: 130 }, '1101ac028080808080208201'],
};

describe('the codec of messages', () => {
  it('has a code of its own for who has no room', () => {
    const message: Message = { kind: 'heartbeatReply', ...envelope, readRound: 11, isDiskFull: true };
    const frame = Buffer.from(encodeFrames([message], 1_000_000)[0]!);
    expect(frame.subarray(1).toString('hex')).toBe('1201ac028080808080200b');
    expect(decodeFrame(frame)).toEqual({ kind: 'messages', messages: [message] });
  });

  it.each(Object.entries(recorded))(
    'writes and reads %s in the bytes that are recorded',
    (_, [message, hex]) => {
      const frame = Buffer.from(encodeFrames([message], 1_000_000)[0]!);
      // The first byte is the frame's form.
      expect(frame.subarray(1).toString('hex')).toBe(hex);
      expect(decodeFrame(frame)).toEqual({ kind: 'messages', messages: [message] });
    },
  );
});
