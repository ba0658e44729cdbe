import { describe, expect, it } from '@jest/globals';
import { HYBRID_UNITS_PER_MS } from '@ringleader/primitives';
import { answer, P, put, putOperation, started, write } from '../../test/cluster-client.js';
import { LIMITS, TIMINGS, type MemoryCluster } from '../../test/memory-cluster.js';
import { KEYED_ID_PREFIX, type ShardReply, type WriteRequest } from '../index.js';

const KEYED = `${KEYED_ID_PREFIX}again`;
const WINDOW_MS = TIMINGS.repeatWindowMs + TIMINGS.clocksDifferMs;
const hybrid = (ms: number): number => ms * HYBRID_UNITS_PER_MS;

/** Before that, nobody can tell what was attempted earlier. */
function startedLongAgo(limits = LIMITS): MemoryCluster {
  const cluster = started(limits);
  cluster.run(2 * WINDOW_MS);
  return cluster;
}

function putAs(
  cluster: MemoryCluster,
  requestId: string,
  key: string,
  change: Partial<WriteRequest> = {},
): ShardReply {
  return answer(cluster, put(cluster, key, 'v', { requestId, ...change }));
}

/** As a purge does, everywhere at once. */
function purge(cluster: MemoryCluster, key: string): void {
  for (const ordinal of cluster.ordinals) {
    const storage = cluster.storage(ordinal);
    const generation = storage.records.get(P)?.generation ?? 0;
    storage.apply({
      id: 0,
      records: [],
      upserts: [],
      removals: [{ partition: P, generation, key, revision: null }],
    });
  }
}

describe('a repeated write', () => {
  it('is known by its id where the key has no row any more', () => {
    const cluster = startedLongAgo({ ...LIMITS, rowCacheBytesMax: 0 });
    expect(putAs(cluster, KEYED, 'a')).toMatchObject({ kind: 'written', revision: 1 });
    cluster.run(50);
    purge(cluster, 'a');
    write(cluster, 'b', 'takes the place of a in memory');
    expect(putAs(cluster, KEYED, 'a')).toMatchObject({ kind: 'written', revision: 1, version: 1 });
    expect(cluster.storage(1).liveRows(P).has('a')).toBe(false);
  });

  it('is not carried out when an earlier attempt may be among the failures that are forgotten', () => {
    const cluster = startedLongAgo();
    const origin = hybrid(cluster.now);
    const operation = putOperation('a', { conditions: [{ kind: 'ifPresent' }] });
    const refuse = (prefix: string, times: number): void => {
      for (let index = 0; index < times; index += 1) {
        const failed = putAs(cluster, `${prefix}${index}`, 'a', { operation, origin: origin + index });
        expect(failed.kind).toBe('conditionFailed');
      }
    };
    const later = { operation: putOperation('a', { conditions: [{ kind: 'ifVersion', version: 0 }] }) };
    const soon = origin + hybrid(WINDOW_MS - 10);
    const present = { operation: putOperation('a', { conditions: [{ kind: 'ifPresent' }] }) };
    refuse('f', 1_030);
    cluster.run(WINDOW_MS);
    // Those of others are none of its own earlier attempts.
    expect(putAs(cluster, 'key:h', 'a', { ...present, origin: soon }).kind).toBe('conditionFailed');
    refuse('key:f', 1_024);
    expect(putAs(cluster, KEYED, 'a', { ...later, origin: soon }).kind).toBe('outcomeUnknown');
    expect(putAs(cluster, 'r', 'a', { ...later, origin: soon }).kind).toBe('written');
  });

  it('is refused again only under the checks of the first time', () => {
    const cluster = startedLongAgo();
    const refused = { operation: putOperation('a', { conditions: [{ kind: 'ifPresent' }] }) };
    expect(putAs(cluster, 'r', 'a', refused).kind).toBe('conditionFailed');
    cluster.loses = (from, { to }) => from === 1 || to === 1;
    cluster.run(TIMINGS.leaseMs);
    expect(cluster.leaderOf(P)).toBe(1);
    const again = put(cluster, 'a', 'v', { requestId: 'r', ...refused });
    expect(answer(cluster, again).kind).toBe('notLeader');
  });

  it('comes to nothing when its origin is further ahead than clocks may differ', () => {
    const cluster = startedLongAgo();
    const ahead = (ms: number): number => hybrid(cluster.now + TIMINGS.clocksDifferMs + ms);
    expect(putAs(cluster, KEYED, 'a', { origin: ahead(100) }).kind).toBe('outcomeUnknown');
    expect(cluster.storage(1).records.get(P)?.position.revision).toBe(0);
    expect(putAs(cluster, KEYED, 'a', { origin: ahead(-100) }).kind).toBe('written');
  });
});
