/** Hears which shard leads what, and asks all shards when it has reason to think that it missed something. */
import { decodeLeadersFrame, leadersQuerySubject, leadersSubject } from '@ringleader/contracts';
import type { NatsConnection, Subscription } from '@ringleader/nats';
import type { MonotonicMs, PartitionIndex } from '@ringleader/primitives';
import type { LeaderTable } from '../routing/leader-table.js';

export interface LeaderAnnouncementsOptions {
  readonly connection: NatsConnection;
  readonly cluster: string;
  readonly leaders: LeaderTable;
  readonly monotonicMs: () => MonotonicMs;
  readonly onChange: (partitions: ReadonlySet<PartitionIndex>) => void;
}

export class LeaderAnnouncements {
  private subscription: Subscription | null = null;

  constructor(private readonly options: LeaderAnnouncementsOptions) {}

  start(): void {
    const { connection, cluster } = this.options;
    this.subscription = connection.subscribe(leadersSubject(cluster), {
      callback: (error, message) => {
        if (error === null) this.take(message.data);
      },
    });
    this.ask();
  }

  ask(): void {
    const { connection, cluster } = this.options;
    connection.publish(leadersQuerySubject(cluster));
  }

  close(): void {
    this.subscription?.unsubscribe();
  }

  private take(data: Uint8Array): void {
    const frame = decodeLeadersFrame(data);
    // A malformed announcement is as good as a lost one: it is repeated.
    if (frame.kind === 'malformed') return;
    const { leaders, monotonicMs, onChange } = this.options;
    const now = monotonicMs();
    const changed = new Set<PartitionIndex>();
    for (const { partition, epoch, ballot } of frame.leaderships) {
      if (leaders.announce(partition, epoch, ballot, now)) changed.add(partition);
    }
    if (changed.size > 0) onChange(changed);
  }
}
