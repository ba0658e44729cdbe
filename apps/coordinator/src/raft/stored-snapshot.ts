/** Snapshots as the log stores them, to which configurations are bytes. */
import type { LogSnapshot } from '@ringleader/log-storage';
import {
  type Configuration,
  configurationOf,
  decodeConfiguration,
  encodeConfiguration,
  type Seated,
  type Snapshot,
} from '@ringleader/raft';

export function toStoredSnapshot(snapshot: Snapshot): LogSnapshot {
  return { ...snapshot, configuration: encodeConfiguration(snapshot.configuration) };
}

/** Without a snapshot, and in one from before groups could change, the group is that of its founders. */
export function configurationIn(
  snapshot: Pick<LogSnapshot, 'configuration'> | null,
  founders: readonly Seated[],
): Configuration {
  if (snapshot === null || snapshot.configuration.byteLength === 0) return configurationOf(founders);
  return decodeConfiguration(snapshot.configuration);
}
