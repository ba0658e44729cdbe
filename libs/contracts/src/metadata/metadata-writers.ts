/**
 * Who may change which of the cluster's own metadata: the coordinator asks this for every write that comes to it, with the
 * speaker that NATS vouches for. What is not below METADATA_PREFIX is anybody's; reading is free.
 *
 * The coordinators themselves write the rest (the cluster, the partition map) inside their own process, not by request.
 */
import { compareKeys } from '@ringleader/primitives';
import { prefixRange } from '../control/key-ranges.js';
import type { Speaker } from '../subjects.js';
import { TOKENS_PREFIX } from './access-metadata.js';
import { METADATA_PREFIX, SHARD_ORDINALS_KEY, memberKey, shardKey } from './cluster-metadata.js';
import type { Service } from './cluster-metadata.js';
import { SETTINGS_KEY } from './settings-metadata.js';

/** Keys besides the member's own registration, which every member may write. */
const OWN_KEYS: Readonly<Record<Service, (member: string) => readonly string[]>> = {
  coordinator: () => [],
  shard: (member) => [shardKey(member), SHARD_ORDINALS_KEY],
  gateway: () => [SETTINGS_KEY],
  'failure-detector': () => [],
  operator: () => [],
};

/** Keys that any member of the service may write, whatever stands behind the prefix. */
const OWN_PREFIXES: Readonly<Partial<Record<Service, readonly string[]>>> = { gateway: [TOKENS_PREFIX] };

export function metadataKeysOf({ service, member }: Speaker): readonly string[] {
  return [memberKey(service, String(member)), ...OWN_KEYS[service](String(member))];
}

/** One key, or with `rangeEnd` all from `key` on before it, to the end if that is empty. */
export interface WrittenRange {
  readonly key: string;
  readonly rangeEnd?: string | undefined;
}

export function mayWrite(speaker: Speaker, { key, rangeEnd }: WrittenRange): boolean {
  if (rangeEnd === undefined) {
    if (!key.startsWith(METADATA_PREFIX) || metadataKeysOf(speaker).includes(key)) return true;
    const prefixes = OWN_PREFIXES[speaker.service] ?? [];
    return prefixes.some((prefix) => key.startsWith(prefix) && key.length > prefix.length);
  }
  const isBehind = compareKeys(key, prefixRange(METADATA_PREFIX).rangeEnd) >= 0;
  const isBefore = rangeEnd !== '' && compareKeys(rangeEnd, METADATA_PREFIX) <= 0;
  return isBehind || isBefore;
}
