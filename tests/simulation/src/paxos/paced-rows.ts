/**
 * Rows on their way to peers, as the shard's transport has them (apps/shard, peer-outbox.ts): long messages go one after the
 * other at the pace of the link, short ones pass, except those about a partition of which something waits. What waits
 * for a peer too long is given up. The core asks what there is, and holds its pace to it.
 */
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { OutgoingMessage, PeerBacklog, ShardMessage } from '@ringleader/paxos';

export interface RowPace {
  readonly bytesPerMs: number;
  /** Messages with fewer bytes of rows are short. */
  readonly longBytes: number;
  /** What waits for longer is lost. */
  readonly giveUpMs: number;
}

interface Surroundings {
  readonly monotonicMs: () => number;
  readonly after: (delayMs: number, run: () => void) => void;
  readonly send: (message: OutgoingMessage) => void;
}

interface Waiting {
  readonly outgoing: OutgoingMessage;
  readonly bytes: number;
  readonly partitions: readonly PartitionIndex[];
  readonly since: number;
}

const ROW_BYTES = 64;

export class PacedRows implements PeerBacklog {
  /** The first is on its way. */
  private readonly waiting = new Map<ShardOrdinal, Waiting[]>();

  /** Without a pace all goes at once. */
  constructor(
    private readonly pace: RowPace | null,
    private readonly surroundings: Surroundings,
  ) {}

  bytes(peer: ShardOrdinal): number {
    return this.of(peer).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  heldSince(peer: ShardOrdinal): number {
    return this.of(peer)[0]?.since ?? Number.POSITIVE_INFINITY;
  }

  holds(peer: ShardOrdinal, partition: PartitionIndex): boolean {
    return this.of(peer).some(({ partitions }) => partitions.includes(partition));
  }

  send(outgoing: OutgoingMessage): void {
    const { to, message } = outgoing;
    const partitions = partitionsWithRows(message);
    const bytes = bytesOf(message);
    const isHeld = partitions.some((partition) => this.holds(to, partition));
    if (this.pace === null || partitions.length === 0 || (bytes < this.pace.longBytes && !isHeld)) {
      this.surroundings.send(outgoing);
      return;
    }
    const waiting = this.of(to);
    this.waiting.set(to, waiting);
    waiting.push({ outgoing, bytes, partitions, since: this.surroundings.monotonicMs() });
    if (waiting.length === 1) this.carry(this.pace, waiting);
  }

  private carry(pace: RowPace, waiting: Waiting[]): void {
    const [first] = waiting;
    if (first === undefined) return;
    this.surroundings.after(first.bytes / pace.bytesPerMs, () => {
      waiting.shift();
      this.surroundings.send(first.outgoing);
      const oldest = this.surroundings.monotonicMs() - pace.giveUpMs;
      while (waiting[0] !== undefined && waiting[0].since < oldest) waiting.shift();
      this.carry(pace, waiting);
    });
  }

  private of(peer: ShardOrdinal): Waiting[] {
    return this.waiting.get(peer) ?? [];
  }
}

function partitionsWithRows(message: ShardMessage): readonly PartitionIndex[] {
  switch (message.kind) {
    case 'accepts':
      return message.batches.filter(({ rows }) => rows.length > 0).map(({ partition }) => partition);
    case 'delta':
    case 'page':
    case 'finish':
      return [message.partition];
    default:
      return [];
  }
}

function bytesOf(message: ShardMessage): number {
  const lists =
    message.kind === 'accepts'
      ? message.batches.map(({ rows }) => rows)
      : message.kind === 'delta' || message.kind === 'page' || message.kind === 'finish'
        ? [message.rows]
        : [];
  return lists.flat().reduce((sum, { key, value }) => sum + ROW_BYTES + key.length + (value?.length ?? 0), 0);
}
