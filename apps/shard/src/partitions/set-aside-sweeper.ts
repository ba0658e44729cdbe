/** Deletes what was set aside (storage/set-aside.ts) once the map names its ordinal nowhere: others have the data then. */
import { OperationalError, type PartitionEntry } from '@ringleader/contracts';
import type { Logger } from '@ringleader/observability';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { ShardConfig } from '../shard.config.js';
import { connectionOptions } from '../storage/database-settings.js';
import { dropAside, type SetAside } from '../storage/set-aside.js';

export class SetAsideSweeper {
  private readonly dropped = new Set<string>();
  private isRunning = false;

  constructor(
    private readonly config: ShardConfig,
    private readonly logger: Logger,
  ) {}

  /** To be called with the whole map, whenever it has changed. */
  look(own: ShardOrdinal, setAside: readonly SetAside[], map: readonly PartitionEntry[]): void {
    const unnamed = unnamedIn(map, own, setAside).filter(({ schema }) => !this.dropped.has(schema));
    if (unnamed.length === 0 || this.isRunning) return;
    this.isRunning = true;
    this.drop(unnamed)
      .catch((error: unknown) => {
        if (!(error instanceof OperationalError)) throw error;
        this.logger.warn({ error }, 'What is set aside and needed no more was not deleted');
      })
      .finally(() => (this.isRunning = false));
  }

  private async drop(unnamed: readonly SetAside[]): Promise<void> {
    const { url, shardId } = connectionOptions(this.config);
    for (const { schema } of unnamed) {
      await dropAside(url, `${shardId} set aside`, schema);
      this.dropped.add(schema);
      this.logger.info({ schema }, 'Deleted what was set aside: the map names its ordinal nowhere');
    }
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
