/** Batches, repairs and copies (docs/PROTOCOL.md 4.2, 4.3). */
import { type ByteReader, ByteWriter, MalformedBytesError } from '@ringleader/primitives';
import type { Accept } from '@ringleader/paxos';
import {
  type MessageCodecs,
  readLeaseEcho,
  readLeaseStamp,
  readReplicaState,
  writeHeader,
  writeLeaseEcho,
  writeLeaseStamp,
  writeReplicaState,
} from './message-codec.js';
import {
  readPosition,
  readRows,
  readStrings,
  readVarints,
  writePosition,
  writeRows,
  writeStrings,
  writeVarints,
} from './rows.js';

type ReplicationKind =
  'accepts' | 'acceptsSeen' | 'accepted' | 'gap' | 'repairOffer' | 'deltaRequest' | 'delta';

export const replicationCodecs: MessageCodecs<ReplicationKind> = {
  accepts: {
    code: 40,
    write(writer, message) {
      writer.varint(message.incarnation);
      writer.varint(message.number);
      writeLeaseStamp(writer, message.lease);
      writer.raw(encodedBatches(message.batches));
    },
    read: (reader) => ({
      kind: 'accepts',
      incarnation: reader.varint(),
      number: reader.varint(),
      lease: readLeaseStamp(reader),
      batches: readBatches(reader),
    }),
  },
  acceptsSeen: {
    code: 41,
    write(writer, message) {
      writer.varint(message.holder);
      writer.varint(message.number);
      writeLeaseEcho(writer, message.lease);
      writeVarints(writer, message.except);
    },
    read: (reader) => ({
      kind: 'acceptsSeen',
      holder: reader.varint(),
      number: reader.varint(),
      lease: readLeaseEcho(reader),
      except: readVarints(reader),
    }),
  },
  accepted: {
    code: 33,
    write(writer, message) {
      writeHeader(writer, message);
      writer.varint(message.revision);
      writeLeaseEcho(writer, message.lease);
    },
    read: (reader) => ({
      kind: 'accepted',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      revision: reader.varint(),
      lease: readLeaseEcho(reader),
    }),
  },
  gap: {
    code: 34,
    write(writer, message) {
      writeHeader(writer, message);
      writeReplicaState(writer, message);
    },
    read: (reader) => ({
      kind: 'gap',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      ...readReplicaState(reader),
    }),
  },
  repairOffer: {
    code: 36,
    write(writer, message) {
      writeHeader(writer, message);
      writer.varint(message.commit);
      writer.varint(message.purgedTo);
    },
    read: (reader) => ({
      kind: 'repairOffer',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      commit: reader.varint(),
      purgedTo: reader.varint(),
    }),
  },
  deltaRequest: {
    code: 37,
    write(writer, message) {
      writeHeader(writer, message);
      writePosition(writer, message.position);
      writer.varint(message.base);
      writeStrings(writer, message.keys);
    },
    read: (reader) => ({
      kind: 'deltaRequest',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      position: readPosition(reader),
      base: reader.varint(),
      keys: readStrings(reader),
    }),
  },
  delta: {
    code: 38,
    write(writer, message) {
      writeHeader(writer, message);
      writePosition(writer, message.from);
      writePosition(writer, message.to);
      writeRows(writer, message.rows);
      writeStrings(writer, message.absent);
      writer.varint(message.purgedTo);
      writer.float64(message.dedupeFloor);
      writer.varint(message.commit);
    },
    read: (reader) => ({
      kind: 'delta',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      from: readPosition(reader),
      to: readPosition(reader),
      rows: readRows(reader),
      absent: readStrings(reader),
      purgedTo: reader.varint(),
      dedupeFloor: reader.instant(),
      commit: reader.varint(),
    }),
  },
};

/** Which of a batch's positions are of another ballot than the batch: a barrier's first one, and none else. */
const OTHER_PREVIOUS = 1;
const OTHER_NEXT = 2;

/** Lists that went to one follower go to the next as the same bytes. */
const encodedLists = new WeakMap<readonly Accept[], Buffer>();
const listWriter = new ByteWriter();

function encodedBatches(batches: readonly Accept[]): Buffer {
  const known = encodedLists.get(batches);
  if (known !== undefined) return known;
  listWriter.varint(batches.length);
  for (const batch of batches) writeBatch(listWriter, batch);
  const encoded = listWriter.take();
  encodedLists.set(batches, encoded);
  return encoded;
}

function writeBatch(writer: ByteWriter, batch: Accept): void {
  const { ballot, previous, next } = batch;
  writeHeader(writer, batch);
  const otherPrevious = previous.ballot === ballot ? 0 : OTHER_PREVIOUS;
  const otherNext = next.ballot === ballot ? 0 : OTHER_NEXT;
  writer.uint8(otherPrevious | otherNext);
  if (otherPrevious !== 0) writer.varint(previous.ballot);
  writer.varint(previous.revision);
  if (otherNext !== 0) writer.varint(next.ballot);
  writer.varint(next.revision);
  writer.varint(batch.commit);
  writeRows(writer, batch.rows);
}

function readBatches(reader: ByteReader): Accept[] {
  const count = reader.count();
  const batches: Accept[] = [];
  for (let i = 0; i < count; i++) batches.push(readBatch(reader));
  return batches;
}

function readBatch(reader: ByteReader): Accept {
  const partition = reader.varint();
  const epoch = reader.varint();
  const ballot = reader.varint();
  const others = reader.uint8();
  if (others > (OTHER_PREVIOUS | OTHER_NEXT)) throw new MalformedBytesError('unknown flags of a batch');
  const previousBallot = (others & OTHER_PREVIOUS) === 0 ? ballot : reader.varint();
  const previous = { ballot: previousBallot, revision: reader.varint() };
  const nextBallot = (others & OTHER_NEXT) === 0 ? ballot : reader.varint();
  const next = { ballot: nextBallot, revision: reader.varint() };
  const commit = reader.varint();
  return { partition, epoch, ballot, previous, next, commit, rows: readRows(reader) };
}
