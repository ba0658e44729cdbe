/** Hears which shard leads what, and asks all shards when it has reason to think that it missed something. */
import { decodeLeadersFrame, speakerOf, subjects } from '@ringleader/contracts';
import type { NatsLink, Subscription } from '@ringleader/nats';
import type { HybridTime, MonotonicMs, PartitionIndex } from '@ringleader/primitives';
import type { LeaderTable } from '../routing/leader-table.js';

export interface LeaderAnnouncementsOptions {
  readonly link: NatsLink;
  readonly cluster: string;
  readonly gatewayId: string;
  readonly leaders: LeaderTable;
  readonly monotonicMs: () => MonotonicMs;
  /** Takes over the clock of every announcement (docs/PROTOCOL.md 4.7.2). */
  readonly mergeClock: (heard: HybridTime) => void;
  readonly onChange: (partitions: ReadonlySet<PartitionIndex>) => void;
}

export class LeaderAnnouncements {
  private subscription: Subscription | null = null;

  constructor(private readonly options: LeaderAnnouncementsOptions) {}

  start(): void {
    const { link, cluster } = this.options;
    this.subscription = link.connection.subscribe(subjects.leaders.to(cluster), {
      callback: (error, message) => {
        if (error === null) this.take(message.data, speakerOf(message.subject)?.member ?? '');
      },
    });
    this.ask();
  }

  ask(): void {
    const { link, cluster, gatewayId } = this.options;
    link.publish(subjects.leadersQuery.from(cluster, { service: 'gateway', member: gatewayId }));
  }

  close(): void {
    this.subscription?.unsubscribe();
  }

  private take(data: Uint8Array, speaker: string): void {
    const frame = decodeLeadersFrame(data);
    // A malformed announcement is as good as a lost one: it is repeated. So is one that speaks for another shard.
    if (frame.kind === 'malformed' || String(frame.from) !== speaker) return;
    const { leaders, monotonicMs, mergeClock, onChange } = this.options;
    mergeClock(frame.hybridTime);
    const now = monotonicMs();
    const changed = new Set<PartitionIndex>();
    for (const leadership of frame.leaderships) {
      if (leaders.announce(frame.from, leadership, now)) changed.add(leadership.partition);
    }
    if (changed.size > 0) onChange(changed);
  }
}
