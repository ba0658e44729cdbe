/**
 * The database made ready while NATS is not there yet: the schema is migrated, or why it cannot be is said. When NATS has
 * answered, the shard opens the database by itself, again and again where it must.
 */
import { Injectable } from '@nestjs/common';
import { RestartBackOff } from '@ringleader/primitives';
import { HostSigns, ServiceClock } from '@ringleader/service-host';
import { pauseUnlessAborted } from '@ringleader/timers';
import { ShardConfig } from '../shard.config.js';
import { BACK_OFF, FORGET_FAILURES_AFTER_MS, connectionOptions, isFatal } from './database-settings.js';
import { ShardDatabase } from './shard-database.js';

@Injectable()
export class DatabasePreparation {
  private readonly over = new AbortController();
  private readonly prepared: Promise<void>;

  constructor(
    private readonly config: ShardConfig,
    private readonly clock: ServiceClock,
    private readonly signs: HostSigns,
  ) {
    signs.health.onDrain(() => this.over.abort());
    this.prepared = this.prepare();
  }

  /** Ends the attempt that is under way, and makes no other one. */
  async end(): Promise<void> {
    this.over.abort();
    await this.prepared;
  }

  private async prepare(): Promise<void> {
    const { health, logger, fatal } = this.signs;
    const backOff = new RestartBackOff(BACK_OFF, FORGET_FAILURES_AFTER_MS);
    while (!this.over.signal.aborted) {
      try {
        const options = { lastIncarnation: null, onLost: () => undefined, logger };
        const database = await ShardDatabase.connect({ ...connectionOptions(this.config), ...options });
        health.started();
        await database.close();
        return;
      } catch (error) {
        if (isFatal(error)) {
          fatal.report(error);
          return;
        }
        const waitMs = backOff.failed(this.clock.monotonicMs());
        logger.warn({ waitMs, error }, 'The database cannot be prepared yet');
        await pauseUnlessAborted(waitMs, this.over.signal);
      }
    }
  }
}
