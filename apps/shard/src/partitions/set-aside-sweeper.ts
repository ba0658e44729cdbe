/** Deletes what was set aside (storage/set-aside.ts) once the map names its ordinal nowhere: others have the data then. */
import { setTimeout as pause } from 'node:timers/promises';
import { OperationalError, type PartitionEntry } from '@ringleader/contracts';
import type { Logger } from '@ringleader/observability';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { ShardConfig } from '../shard.config.js';
import { connectionOptions } from '../storage/database-settings.js';
import { dropAside, type SetAside } from '../storage/set-aside.js';

const RETRY_MS = 60_000;

export class SetAsideSweeper {
  private readonly dropped = new Set<string>();
  private isRunning = false;
  private isStopped = false;
  /** As of the last look. */
  private unnamed: readonly SetAside[] = [];

  constructor(
    private readonly config: ShardConfig,
    private readonly logger: Pick<Logger, 'info' | 'warn'>,
    private readonly retryMs = RETRY_MS,
  ) {}

  /** To be called with the whole map, whenever it has changed. */
  look(own: ShardOrdinal, setAside: readonly SetAside[], map: readonly PartitionEntry[]): void {
    this.unnamed = unnamedIn(map, own, setAside);
    if (this.isRunning || this.next === undefined) return;
    this.isRunning = true;
    void this.run();
  }

  stop(): void {
    this.isStopped = true;
  }

  private get next(): SetAside | undefined {
    return this.unnamed.find(({ schema }) => !this.dropped.has(schema));
  }

  /** Until nothing is left, also of what has become needed no more meanwhile: the map may not change again for long. */
  private async run(): Promise<void> {
    for (let next = this.next; next !== undefined && !this.isStopped; next = this.next) {
      try {
        await this.drop(next);
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error;
        this.logger.warn({ error }, 'What is set aside and needed no more was not deleted');
        await pause(this.retryMs, undefined, { ref: false });
      }
    }
    this.isRunning = false;
  }

  private async drop({ schema }: SetAside): Promise<void> {
    const { url, shardId } = connectionOptions(this.config);
    await dropAside(url, `${shardId} set aside`, schema);
    this.dropped.add(schema);
    this.logger.info({ schema }, 'Deleted what was set aside: the map names its ordinal nowhere');
  }
}

/** Of those that were lost nobody else has it. Without a map nothing is known. Ordinals from the own one on are not of this cluster: there they are given in order. */
export function unnamedIn(
  map: readonly PartitionEntry[],
  own: ShardOrdinal,
  setAside: readonly SetAside[],
): SetAside[] {
  if (map.length === 0 || setAside.length === 0) return [];
  const named = new Set(
    map.flatMap(({ replicas, nextReplicas, learners, recovery }) => [
      ...replicas,
      ...(nextReplicas ?? []),
      ...learners,
      ...(recovery?.lost ?? []),
    ]),
  );
  return setAside.filter(({ ordinal }) => ordinal < own && !named.has(ordinal));
}
