/** Elections, leadership given up, and leases (docs/PROTOCOL.md 4.1, 4.4). */
import {
  headerOnly,
  type MessageCodecs,
  readLeaseEcho,
  readLeaseStamp,
  readReplicaState,
  writeHeader,
  writeLeaseEcho,
  writeLeaseStamp,
  writeReplicaState,
} from './message-codec.js';

type ElectionKind =
  | 'prepare'
  | 'promised'
  | 'prepareRefused'
  | 'superseded'
  | 'confirm'
  | 'confirmed'
  | 'released'
  | 'releaseSeen'
  | 'stand';

export const electionCodecs: MessageCodecs<ElectionKind> = {
  prepare: headerOnly('prepare', 1),
  promised: {
    code: 2,
    write(writer, message) {
      writeHeader(writer, message);
      writeReplicaState(writer, message);
    },
    read: (reader) => ({
      kind: 'promised',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      ...readReplicaState(reader),
    }),
  },
  prepareRefused: {
    code: 3,
    write(writer, message) {
      writeHeader(writer, message);
      writer.varint(message.promised);
      writer.float64(message.retryInMs);
    },
    read: (reader) => ({
      kind: 'prepareRefused',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      promised: reader.varint(),
      retryInMs: reader.float64(),
    }),
  },
  superseded: {
    code: 4,
    write(writer, message) {
      writeHeader(writer, message);
      writer.varint(message.promised);
    },
    read: (reader) => ({
      kind: 'superseded',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      promised: reader.varint(),
    }),
  },
  confirm: {
    code: 5,
    write(writer, message) {
      writeHeader(writer, message);
      writer.varint(message.round);
      writeLeaseStamp(writer, message.lease);
    },
    read: (reader) => ({
      kind: 'confirm',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      round: reader.varint(),
      lease: readLeaseStamp(reader),
    }),
  },
  confirmed: {
    code: 6,
    write(writer, message) {
      writeHeader(writer, message);
      writer.varint(message.round);
      writeLeaseEcho(writer, message.lease);
    },
    read: (reader) => ({
      kind: 'confirmed',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      round: reader.varint(),
      lease: readLeaseEcho(reader),
    }),
  },
  released: headerOnly('released', 7),
  releaseSeen: headerOnly('releaseSeen', 8),
  stand: headerOnly('stand', 9),
};
