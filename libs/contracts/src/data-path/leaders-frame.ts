/**
 * From a shard to all gateways: which partitions it leads, at which ballots, with the barrier committed. Sent when that
 * changes, every few hundred milliseconds, and on demand. A gateway keeps the highest ballot it heard of per partition.
 */
import type {
  ByteReader,
  ByteWriter,
  Ballot,
  Epoch,
  HybridTime,
  PartitionIndex,
  ShardOrdinal,
} from '@ringleader/primitives';
import { decodeFrame, expectFrameKind, type MalformedFrame, writeFrameStart } from './frame.js';

export interface Leadership {
  readonly partition: PartitionIndex;
  readonly epoch: Epoch;
  readonly ballot: Ballot;
}

export interface LeadersFrameHeader {
  readonly from: ShardOrdinal;
  readonly hybridTime: HybridTime;
}

export interface LeadersFrame extends LeadersFrameHeader {
  readonly kind: 'leaders';
  readonly leaderships: readonly Leadership[];
}

export function encodeLeadersFrame(
  writer: ByteWriter,
  { from, hybridTime }: LeadersFrameHeader,
  leaderships: Iterable<Leadership>,
): Buffer {
  writeFrameStart(writer, 'leaders');
  writer.varint(from);
  writer.float64(hybridTime);
  for (const leadership of leaderships) {
    writer.varint(leadership.partition);
    writer.varint(leadership.epoch);
    writer.varint(leadership.ballot);
  }
  return writer.take();
}

export function decodeLeadersFrame(bytes: Uint8Array): LeadersFrame | MalformedFrame {
  return decodeFrame(bytes, readLeadersFrame);
}

function readLeadersFrame(reader: ByteReader): LeadersFrame {
  expectFrameKind(reader, 'leaders');
  const from = reader.varint();
  const hybridTime = reader.instant();
  const leaderships: Leadership[] = [];
  while (!reader.atEnd) {
    leaderships.push({ partition: reader.varint(), epoch: reader.varint(), ballot: reader.varint() });
  }
  return { kind: 'leaders', from, hybridTime, leaderships };
}
