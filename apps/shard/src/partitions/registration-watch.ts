/**
 * What becomes of a life's registration while it runs: it answers who asks whether it runs, and ends when a later life is
 * registered, when the shard is removed, and when others have taken its place.
 */
import {
  OperationalError,
  type ShardRegistration,
  shardKey,
  shardPlaceKey,
  shardPlaceSchema,
  shardSchema,
} from '@ringleader/contracts';
import { answerChallenge, type Coordinator, isOfLife, RecordMirror } from '@ringleader/coordination';
import type { RegisteredLife } from '@ringleader/coordination';
import { type Logger, systemClock } from '@ringleader/observability';
import { superseded } from '../storage/writer-lock.js';
import { comesBackAsNew } from './coming-back.js';
import { removed } from './refusals.js';
import { UNREADABLE } from './unreadable.js';

export class RegistrationWatch {
  private mirrors: readonly Pick<RecordMirror<never>, 'isUnreadable' | 'start' | 'stop'>[] = [];

  constructor(
    private readonly client: Coordinator,
    private readonly logger: Logger,
  ) {}

  /** Records that this version cannot read. */
  get unreadable(): number {
    return this.mirrors.filter(({ isUnreadable }) => isUnreadable).length;
  }

  follow(life: RegisteredLife, onEnd: (error: OperationalError) => void): void {
    this.mirrors = [
      new RecordMirror({
        ...{ ...this.surroundings, key: shardKey(life.shardId), schema: shardSchema },
        onChange: (shard) => this.look(shard, life, onEnd),
      }),
      new RecordMirror({
        ...{ ...this.surroundings, key: shardPlaceKey(life.ordinal), schema: shardPlaceSchema },
        onChange: (place) => {
          if (place?.state === 'replaced') onEnd(comesBackAsNew(life.shardId));
        },
      }),
    ];
    for (const mirror of this.mirrors) void mirror.start();
  }

  stop(): void {
    for (const mirror of this.mirrors) mirror.stop();
    this.mirrors = [];
  }

  private get surroundings() {
    const { client, logger } = this;
    return {
      ...{ client, clock: systemClock },
      onTrouble: (error: OperationalError) => logger.debug({ error }, 'The registration cannot be followed'),
      onUnreadable: (error: OperationalError) => logger.warn({ error }, UNREADABLE),
    };
  }

  private look(
    shard: ShardRegistration | null,
    life: RegisteredLife,
    onEnd: (error: OperationalError) => void,
  ): void {
    if (shard === null) onEnd(removed(life.shardId, life.ordinal));
    else if (!isOfLife(shard, life)) onEnd(superseded(life.shardId, shard.incarnation));
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
