/**
 * From frames to the present life of the core, and to its replacement when there is none: gateways are told so, peers'
 * messages are dropped. A frame of a wrong shape, or that claims to be somebody else's than its sender's, is dropped.
 */
import { decodePeerFrame, decodeRequestFrame, NAME_PATTERN, refusalOf } from '@ringleader/contracts';
import type { FrameRefusal } from '@ringleader/contracts';
import type { DataPathListener } from './data-path.js';
import type { LeaderAnnouncer } from './leader-announcer.js';
import type { RequestDesk } from './request-desk.js';
import type { ShardClock } from './shard-clock.js';
import type { ShardDriver } from './shard-driver.js';

export class FrameRouter implements DataPathListener {
  private driver: ShardDriver | null = null;
  private peerFramesTotal = 0;
  private requestFramesTotal = 0;

  constructor(
    private readonly clock: ShardClock,
    private readonly desk: RequestDesk,
    private readonly announcer: LeaderAnnouncer,
    /** Then the process would not live to answer more. */
    private readonly isMemoryShort: () => boolean = () => false,
  ) {}

  get counts(): {
    readonly peerFrames: number;
    readonly requestFrames: number;
  } {
    return {
      peerFrames: this.peerFramesTotal,
      requestFrames: this.requestFramesTotal,
    };
  }

  /** Null: until the next life begins. */
  routeTo(driver: ShardDriver | null): void {
    this.driver = driver;
  }

  onPeerFrame(bytes: Uint8Array, from: string): FrameRefusal | null {
    const frame = decodePeerFrame(bytes);
    if (frame.kind === 'malformed') return refusalOf(frame);
    if (String(frame.from) !== from) return 'misattributed';
    this.peerFramesTotal += 1;
    this.clock.merge(frame.hybridTime);
    this.driver?.receive(frame.from, frame.messages);
    return null;
  }

  onRequestFrame(bytes: Uint8Array, from: string): FrameRefusal | null {
    const frame = decodeRequestFrame(bytes);
    if (frame.kind === 'malformed') return refusalOf(frame);
    // The gateway's name becomes part of a subject.
    if (!NAME_PATTERN.test(frame.gatewayId)) return 'malformed';
    if (frame.gatewayId !== from) return 'misattributed';
    this.requestFramesTotal += 1;
    this.clock.merge(frame.hybridTime);
    if (this.driver === null) this.desk.refuse(frame);
    else if (this.isMemoryShort()) this.desk.refuse(frame, 'overloaded');
    else this.driver.submit(this.desk.admit(frame));
    return null;
  }

  onLeadersQuery(): void {
    this.announcer.announceAll();
  }
}
