/**
 * Deletes the rows of generations that no record names: those of a copy that was thrown away, or that a switch has left
 * behind. In small parts on the writer's connection, between transactions, so that no earlier incarnation of this shard
 * can delete what a later one stores.
 */
import type { GenerationRemoval, PartitionRecord } from '@ringleader/paxos';
import type { HotConnection, Statement } from '@ringleader/postgres';

const ROWS_PER_STATEMENT = 500;

const REMOVE_PART: Statement = {
  name: 'remove_generation_part',
  text: `WITH removed AS (
      DELETE FROM rows
      WHERE partition = $1 AND generation = $2 AND key = ANY (ARRAY(
        SELECT key FROM rows WHERE partition = $1 AND generation = $2 ORDER BY key LIMIT ${ROWS_PER_STATEMENT}))
      RETURNING 1)
    SELECT count(*) FROM removed`,
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

export async function removeGeneration(
  connection: HotConnection,
  { partition, generation }: GenerationRemoval,
): Promise<void> {
  for (;;) {
    const [row] = await connection.run(REMOVE_PART, [partition, generation]);
    if (Number(row?.[0]) < ROWS_PER_STATEMENT) return;
  }
}

/** At start: what an earlier process had no time to remove. */
export async function removeUnnamedGenerations(
  connection: HotConnection,
  records: readonly PartitionRecord[],
): Promise<void> {
  const named = new Set<string>();
  for (const { partition, generation, staging } of records) {
    named.add(`${partition}/${generation}`);
    if (staging !== null) named.add(`${partition}/${staging.generation}`);
  }
  for (const [partition, generation] of await connection.run(PRESENT_GENERATIONS, [])) {
    if (named.has(`${partition}/${generation}`)) continue;
    await removeGeneration(connection, { partition: Number(partition), generation: Number(generation) });
  }
}
