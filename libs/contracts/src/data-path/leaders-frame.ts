/**
 * From a shard to all gateways: which partitions it leads, at which ballots, with the barrier committed. Sent when that
 * changes, every few hundred milliseconds, and on demand. A gateway keeps the highest ballot it heard of per partition.
 */
import {
  type Ballot,
  type ByteReader,
  type ByteWriter,
  type Epoch,
  fields,
  type HybridTime,
  instant,
  type PartitionIndex,
  type ShardOrdinal,
  varint,
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

const headerCodec = fields<LeadersFrameHeader>({ from: varint, hybridTime: instant });
const leadershipCodec = fields<Leadership>({ partition: varint, epoch: varint, ballot: varint });

export function encodeLeadersFrame(
  writer: ByteWriter,
  header: LeadersFrameHeader,
  leaderships: Iterable<Leadership>,
): Buffer {
  writeFrameStart(writer, 'leaders');
  headerCodec.write(writer, header);
  for (const leadership of leaderships) leadershipCodec.write(writer, leadership);
  return writer.take();
}

export function decodeLeadersFrame(bytes: Uint8Array): LeadersFrame | MalformedFrame {
  return decodeFrame(bytes, readLeadersFrame);
}

function readLeadersFrame(reader: ByteReader): LeadersFrame {
  expectFrameKind(reader, 'leaders');
  const { from, hybridTime } = headerCodec.read(reader);
  const leaderships: Leadership[] = [];
  while (!reader.atEnd) leaderships.push(leadershipCodec.read(reader));
  return { kind: 'leaders', from, hybridTime, leaderships };
}
