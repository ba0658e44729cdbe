/**
 * What becomes of a life's registration while it runs: it answers who asks whether it runs, and ends when a later life is
 * registered, when the shard is removed, and when others have taken its place.
 */
import {
  OperationalError,
  shardKey,
  shardPlaceKey,
  shardPlaceSchema,
  shardSchema,
} from '@ringleader/contracts';
import {
  answerChallenge,
  type Coordinator,
  isOfLife,
  parseMetadata,
  PrefixMirror,
} from '@ringleader/coordination';
import type { RegisteredLife } from '@ringleader/coordination';
import { type Logger, systemClock } from '@ringleader/observability';
import { superseded } from '../storage/writer-lock.js';
import { comesBackAsNew } from './coming-back.js';
import { removed } from './refusals.js';

export class RegistrationWatch {
  private mirrors: readonly PrefixMirror[] = [];

  constructor(
    private readonly client: Coordinator,
    private readonly logger: Logger,
  ) {}

  follow(life: RegisteredLife, onEnd: (error: OperationalError) => void): void {
    const registration = this.mirror(shardKey(life.shardId), (mirror) => this.look(mirror, life, onEnd));
    const place = this.mirror(shardPlaceKey(life.ordinal), (mirror) => {
      const item = mirror.items.get(shardPlaceKey(life.ordinal));
      if (item === undefined || parseMetadata(shardPlaceSchema, item).state !== 'replaced') return;
      onEnd(comesBackAsNew(life.shardId));
    });
    this.mirrors = [registration, place];
    for (const mirror of this.mirrors) void mirror.start();
  }

  stop(): void {
    for (const mirror of this.mirrors) mirror.stop();
    this.mirrors = [];
  }

  /** Of one key: names of shards may begin with that of another. */
  private mirror(prefix: string, onChange: (mirror: PrefixMirror) => void): PrefixMirror {
    const { client } = this;
    const mirror: PrefixMirror = new PrefixMirror({
      ...{ client, clock: systemClock, prefix },
      onChange: () => onChange(mirror),
      onTrouble: (error) => this.logger.debug({ error }, 'The registration cannot be followed'),
    });
    return mirror;
  }

  private look(mirror: PrefixMirror, life: RegisteredLife, onEnd: (error: OperationalError) => void): void {
    const item = mirror.items.get(shardKey(life.shardId));
    if (item === undefined) {
      onEnd(removed(life.shardId, life.ordinal));
      return;
    }
    const shard = parseMetadata(shardSchema, item);
    if (!isOfLife(shard, life)) onEnd(superseded(life.shardId, shard.incarnation));
    else if (shard.challengedBy !== undefined) this.answer(life);
  }

  /** What was not confirmed is asked again with the next change. */
  private answer(life: RegisteredLife): void {
    answerChallenge(this.client, life).catch((error: unknown) => {
      if (!(error instanceof OperationalError)) throw error;
      this.logger.warn({ error }, 'Another process asked whether this one runs, and was not answered');
    });
  }
}
