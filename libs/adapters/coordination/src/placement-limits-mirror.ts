/** The limits of placement as operators set them, kept up to date (docs/PROTOCOL.md 6.7). */
import {
  PLACEMENT_CONTROL_KEY,
  PLACEMENT_LIMITS_DEFAULT,
  placementControlSchema,
  type OperationalError,
  type PlacementLimits,
} from '@ringleader/contracts';
import type { Clock } from '@ringleader/primitives';
import type { Coordinator } from './coordination-client.js';
import { RecordMirror } from './record-mirror.js';

export interface PlacementLimitsMirrorOptions {
  readonly client: Coordinator;
  readonly clock: Clock;
  readonly onChange: (limits: PlacementLimits) => void;
  readonly onTrouble: (error: OperationalError) => void;
  readonly onUnreadable: (error: OperationalError) => void;
}

export class PlacementLimitsMirror {
  readonly #mirror: RecordMirror<typeof placementControlSchema>;
  #limits = PLACEMENT_LIMITS_DEFAULT;

  constructor(private readonly options: PlacementLimitsMirrorOptions) {
    this.#mirror = new RecordMirror({
      ...options,
      key: PLACEMENT_CONTROL_KEY,
      schema: placementControlSchema,
      onChange: (control) => this.#take(control?.limits),
    });
  }

  /** The usual ones until others are heard of. */
  get limits(): PlacementLimits {
    return this.#limits;
  }

  get isUnreadable(): boolean {
    return this.#mirror.isUnreadable;
  }

  /** Settles once the coordinator was heard. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  stop(): void {
    this.#mirror.stop();
  }

  #take(limits: PlacementLimits | undefined): void {
    if (limits === undefined) return;
    this.#limits = limits;
    this.options.onChange(limits);
  }
}
