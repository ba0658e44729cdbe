/** The limits of placement as operators set them, kept up to date (docs/PROTOCOL.md 6.7). */
import {
  PLACEMENT_CONTROL_KEY,
  PLACEMENT_LIMITS_DEFAULT,
  placementControlSchema,
  type KeyValue,
  type OperationalError,
  type PlacementLimits,
} from '@ringleader/contracts';
import type { Clock } from '@ringleader/primitives';
import type { Coordinator } from './coordination-client.js';
import { parseMetadata } from './metadata.js';
import { PrefixMirror } from './prefix-mirror.js';

export interface PlacementLimitsMirrorOptions {
  readonly client: Coordinator;
  readonly clock: Clock;
  readonly onChange: (limits: PlacementLimits) => void;
  readonly onTrouble: (error: OperationalError) => void;
}

export class PlacementLimitsMirror {
  readonly #mirror: PrefixMirror;
  #limits = PLACEMENT_LIMITS_DEFAULT;

  constructor(private readonly options: PlacementLimitsMirrorOptions) {
    const { client, clock, onTrouble } = options;
    this.#mirror = new PrefixMirror({
      client,
      clock,
      prefix: PLACEMENT_CONTROL_KEY,
      onChange: ({ puts }) => this.#take(puts),
      onTrouble,
    });
  }

  /** The usual ones until others are heard of. */
  get limits(): PlacementLimits {
    return this.#limits;
  }

  /** Settles once the coordinator was heard. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  stop(): void {
    this.#mirror.stop();
  }

  #take(puts: readonly KeyValue[]): void {
    const control = puts.find(({ key }) => key === PLACEMENT_CONTROL_KEY);
    if (control === undefined) return;
    this.#limits = parseMetadata(placementControlSchema, control).limits;
    this.options.onChange(this.#limits);
  }
}
