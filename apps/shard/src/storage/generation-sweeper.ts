/**
 * Deletes the rows of generations that no record names: those of a copy that was thrown away, that a switch has left
 * behind, or of a partition that has moved away. In small parts on the writer's connection, between transactions, so that
 * no earlier incarnation of this shard can delete what a later one stores. One generation at a time, however many there
 * are, and with pauses: what users do goes first. Dead rows are given back by autovacuum.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { GenerationRemoval, PartitionRecord } from '@ringleader/paxos';
import type { HotConnection, Statement } from '@ringleader/postgres';

/** A part is as many rows as take about so long, waiting for the connection included: rows may be short or long. */
const PART_MS = 10;
const PART_ROWS = { min: 16, first: 128, max: 1_024 };
/** Times as long as the part took. */
const PAUSE_TIMES = 12;
const PAUSE_MS_MAX = 250;

/** From the last key that was removed on: what is dead before it need not be passed again. */
const REMOVE_PART: Statement = {
  name: 'remove_generation_part',
  text: `WITH removed AS (
      DELETE FROM rows
      WHERE partition = $1 AND generation = $2 AND key = ANY (ARRAY(
        SELECT key FROM rows WHERE partition = $1 AND generation = $2 AND key >= $3 ORDER BY key LIMIT $4))
      RETURNING key)
    SELECT count(*), (SELECT key FROM removed ORDER BY key DESC LIMIT 1) FROM removed`,
};

/** From one generation to the next along the primary key: one probe each. */
const PRESENT_GENERATIONS: Statement = {
  name: 'present_generations',
  text: `WITH RECURSIVE present AS (
      (SELECT partition, generation FROM rows ORDER BY partition, generation LIMIT 1)
      UNION ALL
      SELECT next.partition, next.generation FROM present CROSS JOIN LATERAL (
        SELECT rows.partition, rows.generation FROM rows
        WHERE (rows.partition, rows.generation) > (present.partition, present.generation)
        ORDER BY rows.partition, rows.generation
        LIMIT 1) AS next)
    SELECT partition, generation FROM present`,
};

export class GenerationSweeper {
  private last: Promise<void> = Promise.resolve();
  private partRows = PART_ROWS.first;

  constructor(private readonly connection: Pick<HotConnection, 'run'>) {}

  /** Resolves when it is gone; what was asked for before goes first. */
  remove(removal: GenerationRemoval): Promise<void> {
    const removed = this.last.then(() => this.sweep(removal));
    // Whoever asked for it sees the failure, which is one of the connection: the next fails by itself.
    this.last = removed.catch(() => undefined);
    return removed;
  }

  private async sweep({ partition, generation }: GenerationRemoval): Promise<void> {
    let from = '';
    for (;;) {
      const rows = this.partRows;
      const startedAt = performance.now();
      const [row] = await this.connection.run(REMOVE_PART, [partition, generation, from, rows]);
      const tookMs = performance.now() - startedAt;
      this.adapt(tookMs);
      if (Number(row?.[0]) < rows) return;
      from = row?.[1] ?? from;
      await pause(Math.min(tookMs * PAUSE_TIMES, PAUSE_MS_MAX), undefined, { ref: false });
    }
  }

  private adapt(tookMs: number): void {
    if (tookMs > 2 * PART_MS) this.partRows = Math.max(PART_ROWS.min, Math.floor(this.partRows / 2));
    else if (tookMs < PART_MS / 2) this.partRows = Math.min(PART_ROWS.max, this.partRows * 2);
  }
}

/** What an earlier process had no time to remove: to be asked for before anything new is stored. */
export async function unnamedGenerations(
  connection: HotConnection,
  records: readonly PartitionRecord[],
): Promise<GenerationRemoval[]> {
  const named = new Set<string>();
  for (const { partition, generation, staging } of records) {
    named.add(`${partition}/${generation}`);
    if (staging !== null) named.add(`${partition}/${staging.generation}`);
  }
  const present = await connection.run(PRESENT_GENERATIONS, []);
  return present
    .filter(([partition, generation]) => !named.has(`${partition}/${generation}`))
    .map(([partition, generation]) => ({ partition: Number(partition), generation: Number(generation) }));
}
