/** Batches, repairs and copies (docs/PROTOCOL.md 4.2, 4.3). */
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
import { readPosition, readRows, readStrings, writePosition, writeRows, writeStrings } from './rows.js';

type ReplicationKind = 'accept' | 'accepted' | 'gap' | 'repairOffer' | 'deltaRequest' | 'delta';

export const replicationCodecs: MessageCodecs<ReplicationKind> = {
  accept: {
    code: 32,
    write(writer, message) {
      writeHeader(writer, message);
      writePosition(writer, message.previous);
      writePosition(writer, message.next);
      writer.varint(message.commit);
      writeLeaseStamp(writer, message.lease);
      writeRows(writer, message.rows);
    },
    read: (reader) => ({
      kind: 'accept',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      previous: readPosition(reader),
      next: readPosition(reader),
      commit: reader.varint(),
      lease: readLeaseStamp(reader),
      rows: readRows(reader),
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
