/** A replica that a repair cannot bring up to date is copied to (docs/PROTOCOL.md 4.3.4, 4.3.5). */
import { type MessageCodecs, writeHeader } from './message-codec.js';
import { readPosition, readRows, readStrings, writePosition, writeRows, writeStrings } from './rows.js';

type CopyKind = 'copyRequired' | 'pageRequest' | 'page' | 'finishRequest' | 'finish';

export const copyCodecs: MessageCodecs<CopyKind> = {
  copyRequired: {
    code: 64,
    write(writer, message) {
      writeHeader(writer, message);
      writer.varint(message.commit);
      writer.varint(message.purgedTo);
    },
    read: (reader) => ({
      kind: 'copyRequired',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      commit: reader.varint(),
      purgedTo: reader.varint(),
    }),
  },
  pageRequest: {
    code: 65,
    write(writer, message) {
      writeHeader(writer, message);
      writer.varint(message.copyId);
      writer.varint(message.pass);
      writer.varint(message.base);
      writer.string(message.start);
      writeStrings(writer, message.keys);
    },
    read: (reader) => ({
      kind: 'pageRequest',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      copyId: reader.varint(),
      pass: reader.varint(),
      base: reader.varint(),
      start: reader.string(),
      keys: readStrings(reader),
    }),
  },
  page: {
    code: 66,
    write(writer, message) {
      writeHeader(writer, message);
      writer.varint(message.copyId);
      writer.varint(message.pass);
      writer.string(message.start);
      writer.optionalString(message.nextKey);
      writeRows(writer, message.rows);
      writeStrings(writer, message.absent);
      writer.varint(message.commit);
      writer.varint(message.purgedTo);
      writer.float64(message.dedupeFloor);
    },
    read: (reader) => ({
      kind: 'page',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      copyId: reader.varint(),
      pass: reader.varint(),
      start: reader.string(),
      nextKey: reader.optionalString(),
      rows: readRows(reader),
      absent: readStrings(reader),
      commit: reader.varint(),
      purgedTo: reader.varint(),
      dedupeFloor: reader.instant(),
    }),
  },
  finishRequest: {
    code: 67,
    write(writer, message) {
      writeHeader(writer, message);
      writer.varint(message.copyId);
      writer.varint(message.base);
      writeStrings(writer, message.keys);
    },
    read: (reader) => ({
      kind: 'finishRequest',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      copyId: reader.varint(),
      base: reader.varint(),
      keys: readStrings(reader),
    }),
  },
  finish: {
    code: 68,
    write(writer, message) {
      writeHeader(writer, message);
      writer.varint(message.copyId);
      writer.varint(message.base);
      writePosition(writer, message.to);
      writeRows(writer, message.rows);
      writeStrings(writer, message.absent);
      writer.varint(message.purgedTo);
      writer.float64(message.dedupeFloor);
      writer.varint(message.commit);
    },
    read: (reader) => ({
      kind: 'finish',
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      copyId: reader.varint(),
      base: reader.varint(),
      to: readPosition(reader),
      rows: readRows(reader),
      absent: readStrings(reader),
      purgedTo: reader.varint(),
      dedupeFloor: reader.instant(),
      commit: reader.varint(),
    }),
  },
};
