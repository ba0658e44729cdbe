/** At which rate this shard may give rows away to copies, as operators set it at the coordinator (docs/PROTOCOL.md 6.7). */
import {
  PLACEMENT_CONTROL_KEY,
  PLACEMENT_LIMITS_DEFAULT,
  placementControlSchema,
  type KeyValue,
  type OperationalError,
} from '@ringleader/contracts';
import { PrefixMirror, parseMetadata, type Coordinator } from '@ringleader/coordination';
import type { Clock } from '@ringleader/primitives';

export interface CopyLimitOptions {
  readonly client: Coordinator;
  readonly clock: Clock;
  readonly onChange: (bytesPerSecond: number) => void;
  readonly onTrouble: (error: OperationalError) => void;
}

export class CopyLimit {
  private readonly mirror: PrefixMirror;
  private limit = PLACEMENT_LIMITS_DEFAULT.bytesPerSecondMax;

  constructor(private readonly options: CopyLimitOptions) {
    const { client, clock, onTrouble } = options;
    this.mirror = new PrefixMirror({
      client,
      clock,
      prefix: PLACEMENT_CONTROL_KEY,
      onChange: ({ puts }) => this.take(puts),
      onTrouble,
    });
  }

  get bytesPerSecond(): number {
    return this.limit;
  }

  start(): void {
    void this.mirror.start();
  }

  stop(): void {
    this.mirror.stop();
  }

  private take(puts: readonly KeyValue[]): void {
    const control = puts.find(({ key }) => key === PLACEMENT_CONTROL_KEY);
    if (control === undefined) return;
    const { bytesPerSecondMax } = parseMetadata(placementControlSchema, control).limits;
    if (bytesPerSecondMax === this.limit) return;
    this.limit = bytesPerSecondMax;
    this.options.onChange(bytesPerSecondMax);
  }
}
