/**
 * How long the shard's database has been away. Beyond a limit the shard gives no sign of life until the database is there again: a
 * process without it keeps a place in which nothing is stored, and only who is down is replaced.
 */
import type { Logger } from '@ringleader/observability';
import type { Membership } from '@ringleader/service-host';
import type { ShardConfig } from '../shard.config.js';

export class DatabaseAbsence {
  private timer: NodeJS.Timeout | null = null;
  private isSilent = false;

  constructor(
    private readonly config: Pick<ShardConfig, 'RINGLEADER_POSTGRES_AWAY_MS'>,
    private readonly membership: Pick<Membership, 'setSilent'>,
    private readonly logger: Logger,
  ) {}

  /** It may have begun before. */
  begin(): void {
    if (this.isSilent) return;
    this.timer ??= setTimeout(() => this.fallSilent(), this.config.RINGLEADER_POSTGRES_AWAY_MS);
  }

  /** Of no effect where it had not begun. */
  over(): void {
    this.stop();
    if (!this.isSilent) return;
    this.isSilent = false;
    this.membership.setSilent(false);
    this.logger.info('The database is there again, and so is the shard');
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private fallSilent(): void {
    this.timer = null;
    this.isSilent = true;
    this.membership.setSilent(true);
    const awayMs = this.config.RINGLEADER_POSTGRES_AWAY_MS;
    this.logger.warn(
      { awayMs },
      'The database has been away for too long: the shard is silent, as if it were down',
    );
  }
}
