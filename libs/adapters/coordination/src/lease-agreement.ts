/**
 * Whether all shards count leases of the same length (docs/PROTOCOL.md 4.4): who grants for a shorter time than its holder
 * counts on elects another leader while that one still answers reads.
 */
import { MEMBERS_PREFIX, OperationalError, memberSchema } from '@ringleader/contracts';
import type { Coordinator } from './coordination-client.js';
import { listMetadata } from './metadata.js';

const SETTING = 'RINGLEADER_LEASE_MS';
/** No more than what is gone by, so that a newer version's can be read, too. */
const leaseSchema = memberSchema.pick({ id: true, leaseMs: true });

/**
 * Throws CONFIG_INVALID where a live shard has another length. To be called once the own one is in the service registry: of two
 * shards that start at once, one finds the other there. One whose registration says no length, or nothing that can be read, keeps
 * nobody from opening.
 */
export async function requireSameLease(
  client: Coordinator,
  { shardId, leaseMs }: { readonly shardId: string; readonly leaseMs: number },
): Promise<void> {
  const { values } = await listMetadata(client, `${MEMBERS_PREFIX}shard/`, leaseSchema);
  const other = values.find(
    (shard) => shard.id !== shardId && shard.leaseMs !== undefined && shard.leaseMs !== leaseMs,
  );
  if (other === undefined) return;
  throw new OperationalError(
    'CONFIG_INVALID',
    `${SETTING} is ${leaseMs} at ${shardId} and ${other.leaseMs} at ${other.id}: it must be the same at all shards. Give ` +
      `${shardId} the same, or stop all shards before any starts with another one (docs/OPERATIONS.md, "Settings that stand nowhere else")`,
    { setting: SETTING, shard: other.id, present: leaseMs, expected: other.leaseMs },
  );
}
