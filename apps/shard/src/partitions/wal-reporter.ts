/**
 * Tells the coordinator now and then how far the database's write-ahead log has come, so that an older copy of the
 * database is found out at its start (docs/PROTOCOL.md 4.10). The same question shows whether the database still keeps
 * what it acknowledges: a reload of its settings ends no connection.
 */
import { OperationalError } from '@ringleader/contracts';
import { type Coordinator, reportWalPosition } from '@ringleader/coordination';
import type { Logger } from '@ringleader/observability';
import { pauseUnlessAborted } from '@ringleader/timers';
import type { ShardStorage } from '../storage/shard-storage.js';
import { superseded } from '../storage/writer-lock.js';
import type { OpenedShard } from './shard-opening.js';

const REPORT_INTERVAL_MS = 5_000;

/** The present life of the shard. */
export interface ReportedLife extends Pick<OpenedShard, 'ordinal' | 'incarnation'> {
  readonly storage: Pick<ShardStorage, 'walPosition'>;
}

export class WalReporter {
  private cancel: AbortController | null = null;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: Coordinator,
    private readonly shardId: string,
    private readonly logger: Logger,
    private readonly intervalMs = REPORT_INTERVAL_MS,
  ) {}

  /** `onFatal` is called when a later incarnation of this shard is registered, or the database's durability is off. */
  follow(life: ReportedLife, onFatal: (error: OperationalError) => void): void {
    const cancel = new AbortController();
    this.cancel = cancel;
    this.running = this.run(life, cancel.signal, (error) => {
      // A report may be on its way when its life ends, and when the next one is registered already.
      if (!cancel.signal.aborted) onFatal(error);
    });
  }

  async stop(): Promise<void> {
    this.cancel?.abort();
    await this.running;
  }

  private async run(
    { ordinal, incarnation, storage }: ReportedLife,
    signal: AbortSignal,
    onFatal: (error: OperationalError) => void,
  ): Promise<void> {
    let reported = '';
    while (await pauseUnlessAborted(this.intervalMs, signal, { ref: false })) {
      try {
        const walPosition = await storage.walPosition();
        if (walPosition === reported) continue;
        const life = { shardId: this.shardId, ordinal, incarnation };
        if (await reportWalPosition(this.client, life, walPosition)) reported = walPosition;
        else onFatal(superseded(this.shardId, incarnation));
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        if (error.code === 'DURABILITY_OFF') onFatal(error);
        this.logger.debug({ error }, 'The position of the write-ahead log was not reported');
      }
    }
  }
}
