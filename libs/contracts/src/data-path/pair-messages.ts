/** What two shards say to each other at every heartbeat interval (docs/PROTOCOL.md 4.4.1, 4.5.3). */
import type { ByteReader, ByteWriter } from '@ringleader/primitives';
import type { CommitPoint, FreshStamp } from '@ringleader/paxos';
import {
  type MessageCodecs,
  readLeaseEcho,
  readLeaseStamp,
  writeHeader,
  writeLeaseEcho,
  writeLeaseStamp,
} from './message-codec.js';

type PairKind = 'heartbeat' | 'heartbeatSeen' | 'commitPoints';

export const pairCodecs: MessageCodecs<PairKind> = {
  heartbeat: {
    code: 10,
    write(writer, message) {
      writer.varint(message.incarnation);
      writeLeaseStamp(writer, message.lease);
    },
    read: (reader) => ({
      kind: 'heartbeat',
      incarnation: reader.varint(),
      lease: readLeaseStamp(reader),
    }),
  },
  heartbeatSeen: {
    code: 11,
    write(writer, message) {
      writer.varint(message.holder);
      writeLeaseEcho(writer, message.lease);
      writer.varint(message.pointsHeard);
    },
    read: (reader) => ({
      kind: 'heartbeatSeen',
      holder: reader.varint(),
      lease: readLeaseEcho(reader),
      pointsHeard: reader.varint(),
    }),
  },
  commitPoints: {
    code: 12,
    write(writer, message) {
      writer.varint(message.incarnation);
      writer.varint(message.after);
      writer.varint(message.upTo);
      writer.varint(message.points.length);
      for (const point of message.points) {
        writeHeader(writer, point);
        writer.varint(point.commit);
        writer.boolean(point.fresh);
      }
      writeFreshStamp(writer, message.stamp);
    },
    read: (reader) => ({
      kind: 'commitPoints',
      incarnation: reader.varint(),
      after: reader.varint(),
      upTo: reader.varint(),
      points: readPoints(reader),
      stamp: readFreshStamp(reader),
    }),
  },
};

function readPoints(reader: ByteReader): CommitPoint[] {
  const count = reader.count();
  const points: CommitPoint[] = [];
  for (let i = 0; i < count; i++) {
    points.push({
      partition: reader.varint(),
      epoch: reader.varint(),
      ballot: reader.varint(),
      commit: reader.varint(),
      fresh: reader.boolean(),
    });
  }
  return points;
}

function writeFreshStamp(writer: ByteWriter, stamp: FreshStamp | null): void {
  writer.optionalFloat64(stamp?.echo ?? null);
  if (stamp !== null) writer.varint(stamp.echoIncarnation);
}

function readFreshStamp(reader: ByteReader): FreshStamp | null {
  const echo = reader.optionalFloat64();
  return echo === null ? null : { echo, echoIncarnation: reader.varint() };
}
