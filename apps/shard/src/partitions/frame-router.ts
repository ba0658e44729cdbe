/**
 * From frames to the present life of the core, and to its replacement when there is none: gateways are told so, peers'
 * messages are dropped. Frames of a wrong shape are counted and dropped, never more.
 */
import { decodePeerFrame, decodeRequestFrame, NAME_PATTERN } from '@ringleader/contracts';
import type { DataPathListener } from './data-path.js';
import type { LeaderAnnouncer } from './leader-announcer.js';
import type { RequestDesk } from './request-desk.js';
import type { ShardClock } from './shard-clock.js';
import type { ShardDriver } from './shard-driver.js';

export class FrameRouter implements DataPathListener {
  private driver: ShardDriver | null = null;
  private malformedTotal = 0;
  private misattributedTotal = 0;
  private peerFramesTotal = 0;
  private requestFramesTotal = 0;

  constructor(
    private readonly clock: ShardClock,
    private readonly desk: RequestDesk,
    private readonly announcer: LeaderAnnouncer,
  ) {}

  get counts(): {
    readonly malformed: number;
    /** Frames that claim to be somebody else's than their sender's. */
    readonly misattributed: number;
    readonly peerFrames: number;
    readonly requestFrames: number;
  } {
    return {
      malformed: this.malformedTotal,
      misattributed: this.misattributedTotal,
      peerFrames: this.peerFramesTotal,
      requestFrames: this.requestFramesTotal,
    };
  }

  /** Null: until the next life begins. */
  routeTo(driver: ShardDriver | null): void {
    this.driver = driver;
  }

  onPeerFrame(bytes: Uint8Array, from: string): void {
    const frame = decodePeerFrame(bytes);
    if (frame.kind === 'malformed') {
      this.malformedTotal += 1;
      return;
    }
    if (String(frame.from) !== from) {
      this.misattributedTotal += 1;
      return;
    }
    this.peerFramesTotal += 1;
    this.clock.merge(frame.hybridTime);
    this.driver?.receive(frame.from, frame.messages);
  }

  onRequestFrame(bytes: Uint8Array, from: string): void {
    const frame = decodeRequestFrame(bytes);
    // The gateway's name becomes part of a subject.
    if (frame.kind === 'malformed' || !NAME_PATTERN.test(frame.gatewayId)) {
      this.malformedTotal += 1;
      return;
    }
    if (frame.gatewayId !== from) {
      this.misattributedTotal += 1;
      return;
    }
    this.requestFramesTotal += 1;
    this.clock.merge(frame.hybridTime);
    if (this.driver === null) this.desk.refuse(frame);
    else this.driver.submit(this.desk.admit(frame));
  }

  onLeadersQuery(): void {
    this.announcer.announceAll();
  }
}
