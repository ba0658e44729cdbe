import { describe, expect, it } from '@jest/globals';
import type { ShardReply } from '@ringleader/paxos';
import { recordedMessages, recordedReplies, recordedRequests } from '../../test/recorded-frames.js';
import { contentOf } from '../transport/envelope.js';
import { withMarksRead } from '../../test/marks-read.js';
import {
  appendPeerMessage,
  appendReply,
  appendRequest,
  ByteWriter,
  decodeLeadersFrame,
  decodePeerFrame,
  decodePiece,
  decodeReceipt,
  decodeReplyFrame,
  decodeRequestFrame,
  encodeLeadersFrame,
  encodePiece,
  encodeReceipt,
  startPeerFrame,
  startReplyFrame,
  startRequestFrame,
} from './index.js';

const header = { hybridTime: 2 ** 50, from: 3, servedBy: 3, gatewayId: 'g' };

/** The bytes of an item, without the frame's header. */
function hexOf(start: (writer: ByteWriter) => void, append: (writer: ByteWriter) => void): string {
  const writer = new ByteWriter();
  start(writer);
  const from = writer.length;
  append(writer);
  return writer.take().subarray(from).toString('hex');
}

function framed(start: (writer: ByteWriter) => void, hex: string): Buffer {
  const writer = new ByteWriter();
  start(writer);
  writer.raw(Buffer.from(hex, 'hex'));
  return writer.take();
}

describe('the bytes of the data path that are recorded', () => {
  const startPeer = (writer: ByteWriter): void => startPeerFrame(writer, header);
  it.each(Object.entries(recordedMessages))('are what is written and read: %s', (_, [message, hex]) => {
    expect(hexOf(startPeer, (writer) => appendPeerMessage(writer, message))).toBe(hex);
    expect(withMarksRead(decodePeerFrame(framed(startPeer, hex)))).toMatchObject({
      from: 3,
      messages: [message],
    });
  });

  const startRequests = (writer: ByteWriter): void => startRequestFrame(writer, header);
  it.each(recordedRequests)('are what is written and read: a request, %j', (request, hex) => {
    expect(hexOf(startRequests, (writer) => appendRequest(writer, request))).toBe(hex);
    expect(decodeRequestFrame(framed(startRequests, hex))).toMatchObject({ requests: [request] });
  });

  const startReplies = (writer: ByteWriter): void => startReplyFrame(writer, header);
  it.each(Object.entries(recordedReplies))('are what is written and read: a reply, %s', (_, [reply, hex]) => {
    expect(hexOf(startReplies, (writer) => appendReply(writer, reply.token, reply))).toBe(hex);
    const replies: readonly ShardReply[] = [reply];
    expect(withMarksRead(decodeReplyFrame(framed(startReplies, hex)))).toMatchObject({
      servedBy: 3,
      replies,
    });
  });

  it('are what is written and read: a piece and its receipt', () => {
    const piece = { parcel: 300, totalBytes: 1_000, offset: 130, bytes: Buffer.from([1, 0xff]) };
    const receipt = { parcel: 300, end: 132 };
    const frames = [
      contentOf(encodePiece({ ...piece, bytes: [piece.bytes] })),
      contentOf(encodeReceipt(receipt)),
    ] as const;
    // The first byte is the version.
    const recorded = frames.map((frame) => Buffer.from(frame.subarray(1)).toString('hex'));
    expect(recorded).toEqual(['05ac02e80782010201ff', '06ac028401']);
    expect(decodePiece(frames[0])).toEqual({ kind: 'piece', ...piece });
    expect(decodeReceipt(frames[1])).toEqual({ kind: 'receipt', ...receipt });
  });

  it('are what is written and read: leaderships', () => {
    const leaderships = [{ partition: 16_383, epoch: 2, ballot: 2 ** 33 }];
    const frame = encodeLeadersFrame(new ByteWriter(), header, leaderships);
    // The first byte is the version.
    expect(frame.subarray(1).toString('hex')).toBe('04030000000000001043ff7f028080808020');
    expect(decodeLeadersFrame(frame)).toMatchObject({ from: 3, hybridTime: 2 ** 50, leaderships });
  });
});
