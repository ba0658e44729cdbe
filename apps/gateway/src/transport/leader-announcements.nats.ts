/** Hears which shard leads what, and asks all shards when it has reason to think that it missed something. */
import { decodeLeadersFrame, refusalOf, subjects } from '@ringleader/contracts';
import type { FrameRefusal } from '@ringleader/contracts';
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
    const subject = subjects.leaders.to(cluster);
    this.subscription = link.frames.subscribe('leaders', subject, (content, speaker) =>
      this.take(content, speaker),
    );
    this.ask();
  }

  ask(): void {
    const { link, cluster, gatewayId } = this.options;
    link.publish(subjects.leadersQuery.from(cluster, { service: 'gateway', member: gatewayId }));
  }

  close(): void {
    this.subscription?.unsubscribe();
  }

  private take(content: Uint8Array, speaker: string): FrameRefusal | null {
    const frame = decodeLeadersFrame(content);
    // A malformed announcement is as good as a lost one: it is repeated. So is one that speaks for another shard.
    if (frame.kind === 'malformed') return refusalOf(frame);
    if (String(frame.from) !== speaker) return 'misattributed';
    const { leaders, monotonicMs, mergeClock, onChange } = this.options;
    mergeClock(frame.hybridTime);
    const now = monotonicMs();
    const changed = new Set<PartitionIndex>();
    for (const leadership of frame.leaderships) {
      if (leaders.announce(frame.from, leadership, now)) changed.add(leadership.partition);
    }
    if (changed.size > 0) onChange(changed);
    return null;
  }
}
