import type { Ballot, Epoch, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { Released } from '../messages.js';

interface Release {
  readonly message: Released;
  readonly unanswered: Set<ShardOrdinal>;
}

/**
 * Ballots this shard led at and gave up. The pair's grant goes on for other partitions, so each replica must hear that
 * this one is free: repeated until it answers or is at a higher ballot (docs/PROTOCOL.md 4.4.7).
 */
export class Releases {
  private readonly releases = new Map<PartitionIndex, Release>();

  add(
    of: { partition: PartitionIndex; epoch: Epoch; ballot: Ballot },
    to: readonly ShardOrdinal[],
  ): Released {
    const message: Released = { kind: 'released', ...of };
    if (to.length > 0) this.releases.set(of.partition, { message, unanswered: new Set(to) });
    return message;
  }

  /** The replica has answered, or is at a higher ballot. */
  settle(partition: PartitionIndex, ballot: Ballot, by: ShardOrdinal): void {
    const release = this.releases.get(partition);
    if (release === undefined || release.message.ballot > ballot) return;
    release.unanswered.delete(by);
    if (release.unanswered.size === 0) this.releases.delete(partition);
  }

  /** This shard leads the partition again: whoever hears it is at a higher ballot. */
  drop(partition: PartitionIndex): void {
    this.releases.delete(partition);
  }

  forEachUnanswered(visit: (to: ShardOrdinal, message: Released) => void): void {
    for (const { message, unanswered } of this.releases.values()) {
      for (const to of unanswered) visit(to, message);
    }
  }
}
