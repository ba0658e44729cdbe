/**
 * Tells the coordinator now and then how far the database's write-ahead log has come, so that an older copy of the
 * database is found out at its start (docs/PROTOCOL.md 4.10). The same question shows whether the database still keeps
 * what it acknowledges: a reload of its settings ends no connection.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { OperationalError } from '@ringleader/contracts';
import { type Coordinator, reportWalPosition } from '@ringleader/coordination';
import type { Logger } from '@ringleader/observability';
import type { OpenedShard } from './shard-opening.js';
import { superseded } from '../storage/writer-lock.js';

const REPORT_INTERVAL_MS = 5_000;

export class WalReporter {
  private cancel: AbortController | null = null;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: Coordinator,
    private readonly shardId: string,
    private readonly logger: Logger,
  ) {}

  /** `onFatal` is called when a later incarnation of this shard is registered, or the database's durability is off. */
  follow(opened: OpenedShard, onFatal: (error: OperationalError) => void): void {
    const cancel = new AbortController();
    this.cancel = cancel;
    this.running = this.run(opened, cancel.signal, onFatal);
  }

  async stop(): Promise<void> {
    this.cancel?.abort();
    await this.running;
  }

  private async run(
    opened: OpenedShard,
    signal: AbortSignal,
    onFatal: (error: OperationalError) => void,
  ): Promise<void> {
    let reported = '';
    while (await elapsed(REPORT_INTERVAL_MS, signal)) {
      try {
        const walPosition = await opened.storage.walPosition();
        if (walPosition === reported) continue;
        const { ordinal, incarnation } = opened;
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

/** False when it was cut short. */
async function elapsed(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(ms, undefined, { signal, ref: false });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
