import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { MEMBERS_PREFIX, SHARDS_PREFIX } from '@ringleader/contracts';
import { PrefixMirror } from '@ringleader/coordination';
import { Coordination, ServiceClock, ServiceLogger } from '@ringleader/service-host';
import { DetectionService, nameOfMemberKey, nameOfShardKey } from './detection.service.js';

/**
 * Keeps the list of who should be there equal to what is registered at the coordinator. Without the coordinator the list
 * stays as it was last seen, and whoever beats is watched anyway.
 */
@Injectable()
export class MemberListService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #members: PrefixMirror;
  readonly #shards: PrefixMirror;

  constructor(
    client: Coordination,
    private readonly detection: DetectionService,
    clock: ServiceClock,
    logger: ServiceLogger,
  ) {
    const mirror = (prefix: string): PrefixMirror =>
      new PrefixMirror({
        client,
        clock,
        prefix,
        onChange: () => this.#update(),
        onTrouble: (error) => logger.warn({ prefix, error }, 'The registry cannot be followed'),
      });
    this.#members = mirror(MEMBERS_PREFIX);
    this.#shards = mirror(SHARDS_PREFIX);
    detection.isInformed = () => this.isComplete;
  }

  /** Both lists were read at least once. */
  get isComplete(): boolean {
    return this.#members.stalenessMs() !== null && this.#shards.stalenessMs() !== null;
  }

  /** Follows in the background: heartbeats are judged from the first one on, with or without the coordinator. */
  onApplicationBootstrap(): void {
    void this.#members.start();
    void this.#shards.start();
  }

  beforeApplicationShutdown(): void {
    this.#members.stop();
    this.#shards.stop();
  }

  #update(): void {
    const members = [...this.#members.items.keys()].map(nameOfMemberKey);
    const shards = [...this.#shards.items.keys()].map(nameOfShardKey);
    this.detection.list(new Set([...members, ...shards]));
  }
}
