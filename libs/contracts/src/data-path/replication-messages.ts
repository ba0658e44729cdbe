/** Batches, repairs and copies (docs/PROTOCOL.md 4.2, 4.3). */
import {
  type ByteReader,
  ByteWriter,
  type Codec,
  instant,
  listOf,
  MalformedBytesError,
  string,
  varint,
} from '@ringleader/primitives';
import type { Accept, Position } from '@ringleader/paxos';
import { header, leaseEcho, leaseStamp, type MessageTable, replicaState } from './message-codec.js';
import { positionCodec, rowsCodec } from './rows.js';

type ReplicationKind =
  'accepts' | 'acceptsSeen' | 'accepted' | 'gap' | 'repairOffer' | 'deltaRequest' | 'delta';

/** Which of a batch's positions are of another ballot than the batch: a barrier's first one, and none else. */
const OTHER_PREVIOUS = 1;
const OTHER_NEXT = 2;

/** By hand: positions mostly have the batch's ballot, which is not written again. */
const batchCodec: Codec<Accept> = {
  write(writer, batch) {
    const { ballot, previous, next } = batch;
    writer.varint(batch.partition).varint(batch.epoch).varint(ballot);
    const otherPrevious = previous.ballot === ballot ? 0 : OTHER_PREVIOUS;
    const otherNext = next.ballot === ballot ? 0 : OTHER_NEXT;
    writer.uint8(otherPrevious | otherNext);
    if (otherPrevious !== 0) writer.varint(previous.ballot);
    writer.varint(previous.revision);
    if (otherNext !== 0) writer.varint(next.ballot);
    writer.varint(next.revision);
    writer.varint(batch.commit);
    rowsCodec.write(writer, batch.rows);
  },
  read(reader) {
    const partition = reader.varint();
    const epoch = reader.varint();
    const ballot = reader.varint();
    const others = reader.uint8();
    if (others > (OTHER_PREVIOUS | OTHER_NEXT)) throw new MalformedBytesError('unknown flags of a batch');
    const previous = readPosition(reader, ballot, (others & OTHER_PREVIOUS) !== 0);
    const next = readPosition(reader, ballot, (others & OTHER_NEXT) !== 0);
    const commit = reader.varint();
    return { partition, epoch, ballot, previous, next, commit, rows: rowsCodec.read(reader) };
  },
};

function readPosition(reader: ByteReader, ballotOfBatch: number, isOther: boolean): Position {
  const ballot = isOther ? reader.varint() : ballotOfBatch;
  return { ballot, revision: reader.varint() };
}

const listOfBatches = listOf(batchCodec);
/** Lists that went to one follower go to the next as the same bytes. */
const encodedLists = new WeakMap<readonly Accept[], Buffer>();
const listWriter = new ByteWriter();

const batchesCodec: Codec<readonly Accept[]> = {
  write(writer, batches) {
    let encoded = encodedLists.get(batches);
    if (encoded === undefined) {
      listOfBatches.write(listWriter, batches);
      encoded = listWriter.take();
      encodedLists.set(batches, encoded);
    }
    writer.raw(encoded);
  },
  read: listOfBatches.read,
};

export const replicationMessages: MessageTable<ReplicationKind> = {
  accepts: {
    code: 40,
    fields: { incarnation: varint, number: varint, lease: leaseStamp, batches: batchesCodec },
  },
  acceptsSeen: {
    code: 41,
    fields: { holder: varint, number: varint, lease: leaseEcho, except: listOf(varint) },
  },
  accepted: { code: 33, fields: { ...header, revision: varint, lease: leaseEcho } },
  gap: { code: 34, fields: { ...header, ...replicaState } },
  repairOffer: { code: 36, fields: { ...header, commit: varint, purgedTo: varint } },
  deltaRequest: {
    code: 37,
    fields: { ...header, position: positionCodec, base: varint, keys: listOf(string) },
  },
  delta: {
    code: 38,
    fields: {
      ...header,
      from: positionCodec,
      to: positionCodec,
      rows: rowsCodec,
      absent: listOf(string),
      purgedTo: varint,
      dedupeFloor: instant,
      commit: varint,
    },
  },
};
