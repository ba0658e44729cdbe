/**
 * Publishes this process's heartbeat with its load (§7). Failing to publish is no error: silence is what a failure
 * detector listens for.
 */
import { HEARTBEAT_INTERVAL_MS } from '@ringleader/contracts';
import type { Heartbeat, Service } from '@ringleader/contracts';
import type { LoadMeter } from './load-meter.js';
import { togetherEvery } from './together-every.js';

export interface HeartbeatIdentity {
  readonly service: Service;
  readonly id: string;
  /** A new one for each process. */
  readonly instance: string;
}

export class HeartbeatPublisher {
  private sequence = 0;
  private end: (() => void) | null = null;

  constructor(
    private readonly identity: HeartbeatIdentity,
    private readonly meter: LoadMeter,
    /** Hands the JSON text to the transport. */
    private readonly publish: (json: string) => void,
    private readonly present: () => Pick<Heartbeat, 'ready' | 'incarnation'>,
  ) {}

  start(): void {
    this.beat(0);
    this.end = togetherEvery(HEARTBEAT_INTERVAL_MS, (lateMs) => this.beat(lateMs));
  }

  stop(): void {
    this.end?.();
    this.end = null;
  }

  private beat(lateMs: number): void {
    this.sequence += 1;
    const heartbeat: Heartbeat = {
      ...this.identity,
      sequence: this.sequence,
      ...this.present(),
      load: this.meter.read(lateMs),
    };
    this.publish(JSON.stringify(heartbeat));
  }
}
