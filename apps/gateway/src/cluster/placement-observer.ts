/**
 * Follows how the cluster changes its shape, for reports: places of shards and incidents by the coordinators' watches, the
 * plan by asking their leader once a second, for all who look at once.
 */
import {
  INCIDENTS_PREFIX,
  OperationalError,
  SHARD_PLACES_PREFIX,
  incidentSchema,
  shardPlaceSchema,
} from '@ringleader/contracts';
import type { Incident, ShardPlace } from '@ringleader/contracts';
import { PrefixMirror, readChange } from '@ringleader/coordination';
import type {
  Coordinator,
  CoordinatorGroup,
  CoordinatorResponse,
  MirrorChange,
} from '@ringleader/coordination';
import type { Clock, ShardOrdinal } from '@ringleader/primitives';
import type { ShardDirectory } from '../routing/shard-directory.js';

export type Placement = CoordinatorResponse<'placement'>;

export interface PlacementObserverOptions {
  readonly client: Coordinator & Pick<CoordinatorGroup, 'ask'>;
  readonly clock: Clock;
  /** Told of the weights in force. */
  readonly shardDirectory: Pick<ShardDirectory, 'place' | 'displace'>;
  readonly onTrouble: (error: OperationalError) => void;
}

const POLL_MS = 1_000;
const POLL_TIMEOUT_MS = 800;

export class PlacementObserver {
  private readonly placesByKey = new Map<string, ShardPlace>();
  private readonly incidentsByKey = new Map<string, Incident>();
  private readonly mirrors: readonly PrefixMirror[];
  private timer: NodeJS.Timeout | null = null;
  private isAsking = false;
  /** As their leader told it last; null while none tells. */
  placement: Placement | null = null;

  constructor(private readonly options: PlacementObserverOptions) {
    const { client, clock, onTrouble } = options;
    const mirror = (prefix: string, onChange: (change: MirrorChange) => void): PrefixMirror =>
      new PrefixMirror({ client, clock, prefix, onChange, onTrouble });
    this.mirrors = [
      mirror(SHARD_PLACES_PREFIX, (change) => this.takePlaces(change)),
      mirror(INCIDENTS_PREFIX, (change) => {
        const { puts, deletes } = readChange(incidentSchema, change, onTrouble);
        for (const key of deletes) this.incidentsByKey.delete(key);
        for (const { key, value } of puts) this.incidentsByKey.set(key, value);
      }),
    ];
  }

  get places(): readonly ShardPlace[] {
    return [...this.placesByKey.values()];
  }

  /** The newest first. */
  get incidents(): readonly Incident[] {
    return [...this.incidentsByKey.values()].sort((a, b) => (a.at < b.at ? 1 : -1));
  }

  /** Null for an ordinal that has no place. */
  name(ordinal: ShardOrdinal): string | null {
    const place = this.places.find((one) => one.ordinal === ordinal);
    if (place === undefined) return null;
    // Its successor has its name.
    return place.state === 'replaced' ? `${place.shardId} (replaced)` : place.shardId;
  }

  start(): void {
    for (const mirror of this.mirrors) void mirror.start();
    this.timer = setInterval(() => void this.ask(), POLL_MS);
    void this.ask();
  }

  stop(): void {
    for (const mirror of this.mirrors) mirror.stop();
    if (this.timer !== null) clearInterval(this.timer);
  }

  private takePlaces(change: MirrorChange): void {
    const { shardDirectory, onTrouble } = this.options;
    const { puts, deletes } = readChange(shardPlaceSchema, change, onTrouble);
    for (const key of deletes) {
      this.placesByKey.delete(key);
      shardDirectory.displace(Number(key.slice(SHARD_PLACES_PREFIX.length)));
    }
    for (const { key, value: place } of puts) {
      this.placesByKey.set(key, place);
      shardDirectory.place(place.ordinal, place.weight);
    }
  }

  private async ask(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      this.placement = await this.options.client.ask('placement', {}, { timeoutMs: POLL_TIMEOUT_MS });
    } catch (error) {
      // That the coordinators have no leader is reported by what they say of themselves.
      if (!(error instanceof OperationalError)) throw error;
      this.placement = null;
    } finally {
      this.isAsking = false;
    }
  }
}
