/**
 * Messages to peers, by what they carry. Short ones that keep partitions alive share a frame of a turn on the lane for
 * control. What carries rows goes on the other lane: few bytes share a frame as well, many are a parcel of their own, which
 * is encoded when its turn comes. What follows a parcel and is about the same partition stays behind it.
 *
 * A shard that leads some partitions and follows in others has rows and acknowledgements for the same peer in most turns of
 * a busy cluster. Those go in one frame, which costs both sides and the nats-server half of what two do, as long as nothing
 * long could hold it up.
 */
import { appendPeerMessage, ByteWriter, PIECE_BYTES, startPeerFrame } from '@ringleader/contracts';
import type { Accept, OutgoingMessage, Row, ShardMessage } from '@ringleader/paxos';
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { DataPath } from './data-path.js';
import { FrameOutbox } from './frame-outbox.js';
import type { ShardClock } from './shard-clock.js';

export type PeerSending = Pick<DataPath, 'sendToPeer' | 'sendParcelToPeer' | 'holdsBack' | 'carriesParcels'>;

interface Bulk {
  readonly bytes: number;
  /** Longer than this it is a parcel. */
  readonly wholeBytesMax: number;
  readonly partitions: readonly PartitionIndex[];
}

/** Mostly enough. */
const PARCEL_BYTES_BESIDE_VALUES = 16 * 1_024;
const ROW_OVERHEAD_BYTES = 128;
const MARK_BYTES = 64;
const LONG_VALUE_BYTES = 32 * 1024;
/**
 * What batches of short values come to in a turn. In pieces each of them would have to be receipted, and acknowledgements
 * would need frames of their own, which cost more than what short frames save that need not wait for so much.
 */
const SHORT_ROWS_BYTES_MAX = 512 * 1024;

/** In no hurry. */
const APART: ReadonlySet<ShardMessage['kind']> = new Set([
  'verify',
  'verified',
  'rowWanted',
  'rowTold',
  'mend',
  'mended',
  'remembered',
]);

export class PeerOutbox {
  private readonly control: FrameOutbox<ShardOrdinal>;
  private readonly bulk: FrameOutbox<ShardOrdinal>;
  private readonly apart: FrameOutbox<ShardOrdinal>;
  private acknowledgements: OutgoingMessage[] = [];
  /** The batches of this turn that were measured last. */
  private measured: { readonly batches: readonly Accept[]; readonly bulk: Bulk | null } | null = null;

  constructor(
    private readonly ordinal: ShardOrdinal,
    private readonly clock: ShardClock,
    private readonly sending: PeerSending,
  ) {
    const start = (writer: ByteWriter): void => this.start(writer);
    this.control = new FrameOutbox({
      start,
      send: (shard, frame) => sending.sendToPeer(shard, frame, 'control'),
    });
    const sendInBulk = (shard: ShardOrdinal, frame: Buffer): void => {
      sending.sendToPeer(shard, frame, 'bulk');
    };
    this.bulk = new FrameOutbox({ start, send: sendInBulk });
    this.apart = new FrameOutbox({ start, send: sendInBulk });
  }

  add(outgoing: OutgoingMessage): void {
    const { to, message } = outgoing;
    if (message.kind === 'acceptsSeen') {
      this.acknowledgements.push(outgoing);
      return;
    }
    if (APART.has(message.kind)) {
      this.sendApart(to, message);
      return;
    }
    const bulk = message.kind === 'accepts' ? this.bulkOfBatches(message.batches) : bulkOf(message);
    if (bulk === null) {
      append(this.control, to, message);
    } else if (bulk.bytes <= bulk.wholeBytesMax && !this.sending.holdsBack(to, bulk.partitions)) {
      append(this.bulk, to, message);
    } else {
      const { bytes, partitions: topics } = bulk;
      this.sending.sendParcelToPeer(to, { bytes, topics, encode: () => this.encode(message) });
    }
  }

  flush(): void {
    if (this.acknowledgements.length > 0) this.appendAcknowledgements();
    this.control.flush();
    this.bulk.flush();
    this.measured = null;
  }

  /** What goes to one follower mostly goes to the next one as well, as the same list. */
  private bulkOfBatches(batches: readonly Accept[]): Bulk | null {
    if (this.measured?.batches !== batches) this.measured = { batches, bulk: bulkOfBatches(batches) };
    return this.measured.bulk;
  }

  /** A member of a version that does not know the message drops the frame: nothing else must be in it. */
  private sendApart(to: ShardOrdinal, message: ShardMessage): void {
    const bytes = bytesApart(message);
    if (bytes > PIECE_BYTES) {
      this.sending.sendParcelToPeer(to, { bytes, topics: [], encode: () => this.encode(message) });
      return;
    }
    append(this.apart, to, message);
    this.apart.flush();
  }

  private appendAcknowledgements(): void {
    const mayRide = !this.sending.carriesParcels;
    for (const { to, message } of this.acknowledgements) {
      append(mayRide && this.bulk.hasBegun(to) ? this.bulk : this.control, to, message);
    }
    this.acknowledgements = [];
  }

  private start(writer: ByteWriter): void {
    startPeerFrame(writer, { from: this.ordinal, hybridTime: this.clock.stamp() });
  }

  private encode(message: ShardMessage): readonly Uint8Array[] {
    const writer = ByteWriter.referring(PARCEL_BYTES_BESIDE_VALUES);
    this.start(writer);
    appendPeerMessage(writer, message);
    return writer.takeParts();
  }
}

function append(outbox: FrameOutbox<ShardOrdinal>, to: ShardOrdinal, message: ShardMessage): void {
  const writer = outbox.frame(to);
  appendPeerMessage(writer, message);
  outbox.appended(to, writer);
}

/** Null for what is short, and of use only soon. A barrier is among it: elections end with one. */
function bulkOf(message: ShardMessage): Bulk | null {
  switch (message.kind) {
    case 'delta':
    case 'page':
    case 'finish':
      return {
        bytes: bytesOf(message.rows),
        wholeBytesMax: PIECE_BYTES,
        partitions: [message.partition],
      };
    default:
      return null;
  }
}

function bytesApart(message: ShardMessage): number {
  if (message.kind === 'rowTold' || message.kind === 'mend') return bytesOf(message.rows);
  return message.kind === 'remembered' ? message.marks.length * MARK_BYTES : 0;
}

function bulkOfBatches(batches: readonly Accept[]): Bulk | null {
  let rowCount = 0;
  let bytes = 0;
  let wholeBytesMax = SHORT_ROWS_BYTES_MAX;
  for (const { rows } of batches) {
    rowCount += rows.length;
    bytes += bytesOf(rows);
    if (rows.some(isLong)) wholeBytesMax = PIECE_BYTES;
  }
  if (rowCount === 0) return null;
  return { bytes, wholeBytesMax, partitions: batches.map(({ partition }) => partition) };
}

function isLong({ value }: Row): boolean {
  return value !== null && value.length > LONG_VALUE_BYTES;
}

function bytesOf(rows: readonly Row[]): number {
  let bytes = 0;
  for (const { key, value, contentType, requests } of rows) {
    bytes += ROW_OVERHEAD_BYTES + key.length + contentType.length;
    bytes += (value?.length ?? 0) + requests.length * MARK_BYTES;
  }
  return bytes;
}
