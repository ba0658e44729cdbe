/** Snapshots as the log stores them, to which configurations are bytes. */
import type { SnapshotFile } from '@ringleader/log-storage';
import { type Configuration, configurationOf, decodeConfiguration, type Seated } from '@ringleader/raft';

/** Without a snapshot, and in one from before groups could change, the group is that of its founders. */
export function configurationIn(
  snapshot: Pick<SnapshotFile, 'configuration'> | null,
  founders: readonly Seated[],
): Configuration {
  if (snapshot === null || snapshot.configuration.byteLength === 0) return configurationOf(founders);
  return decodeConfiguration(snapshot.configuration);
}

/** What a state machine is restored from. */
interface Restored {
  restore(chunks: AsyncIterable<Uint8Array>, index: number): Promise<void>;
}

/** Closes the snapshot. */
export async function restoreFrom(snapshot: SnapshotFile, stateMachine: Restored): Promise<void> {
  try {
    await stateMachine.restore(chunksOf(snapshot), snapshot.index);
  } finally {
    await snapshot.close();
  }
}

/** One after the other, so that no more than one is in memory, and the event loop turns between them. */
async function* chunksOf({ chunks }: SnapshotFile): AsyncGenerator<Uint8Array, void, undefined> {
  for (const chunk of chunks) yield await chunk.read();
}
