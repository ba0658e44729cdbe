/** Tells all gateways what this shard leads: changes at once, everything now and then and on demand. */
import { ByteWriter, encodeLeadersFrame, type Leadership } from '@ringleader/contracts';
import type { PaxosEvent } from '@ringleader/paxos';
import type { HybridTime, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';

/** 16,384 partitions at this many each stay far below the size of a frame. */
const LEADERSHIPS_PER_FRAME = 4_096;

export class LeaderAnnouncer {
  private readonly led = new Map<PartitionIndex, Leadership>();
  private changed: Leadership[] = [];
  private readonly writer = new ByteWriter(4_096);

  constructor(
    private readonly ordinal: ShardOrdinal,
    private readonly stamp: () => HybridTime,
    private readonly announce: (frame: Buffer) => void,
  ) {}

  get count(): number {
    return this.led.size;
  }

  follow(event: PaxosEvent): void {
    if (event.kind === 'leading') {
      const { partition, epoch, ballot } = event;
      const leadership = { partition, epoch, ballot };
      this.led.set(partition, leadership);
      this.changed.push(leadership);
    } else if (event.kind === 'steppedDown' && this.led.get(event.partition)?.ballot === event.ballot) {
      this.led.delete(event.partition);
    }
  }

  /** The core that led is gone. */
  forgetAll(): void {
    this.led.clear();
    this.changed = [];
  }

  announceChanges(): void {
    if (this.changed.length === 0) return;
    this.send(this.changed);
    this.changed = [];
  }

  announceAll(): void {
    this.changed = [];
    this.send([...this.led.values()]);
  }

  private send(leaderships: readonly Leadership[]): void {
    for (let from = 0; from < leaderships.length; from += LEADERSHIPS_PER_FRAME) {
      const part = leaderships.slice(from, from + LEADERSHIPS_PER_FRAME);
      this.announce(encodeLeadersFrame(this.writer, { from: this.ordinal, hybridTime: this.stamp() }, part));
    }
  }
}
