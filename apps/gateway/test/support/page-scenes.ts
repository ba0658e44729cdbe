/** What a cluster looks like on its page: healthy, with one shard down, and while partitions move to a fourth shard. */
import type {
  ClusterEvent,
  LoadEvent,
  LoadHistoryView,
  MovesEvent,
  PartitionView,
  PlacedShard,
  PlannedMove,
} from '@ringleader/contracts';
import { PLACEMENT_LIMITS_DEFAULT } from '@ringleader/contracts';

export interface Scene {
  readonly cluster: ClusterEvent;
  readonly moves: MovesEvent;
  readonly load: LoadEvent;
  readonly partitions: readonly PartitionView[];
}

const PARTITIONS = 64;
const STARTED_AT = '2026-11-26T06:00:00.000Z';
const MOVED = [5, 11, 23, 42, 57];

type Members = ClusterEvent['members'];
type MemberRow = Members[number];

const member = (service: MemberRow['service'], id: string, rest: Partial<MemberRow> = {}): MemberRow => ({
  ...{ service, id, address: '127.0.0.1:9100', version: '0.2.0', startedAt: STARTED_AT, state: 'serving' },
  ...{ verdict: 'alive', verdictSince: STARTED_AT, evidence: [] },
  ...rest,
});

function members(shards: number, down: string | null): Members {
  const numbered = (service: MemberRow['service'], name: string, count: number): Members =>
    Array.from({ length: count }, (_, i) => `${name}-${i + 1}`).map((id) =>
      member(service, id, id === down ? { verdict: 'down' } : {}),
    );
  return [
    ...numbered('coordinator', 'coordinator', 3),
    ...numbered('failure-detector', 'detector', 3),
    ...numbered('gateway', 'gateway', 1),
    ...numbered('shard', 'shard', shards),
  ];
}

const name = (shard: number): string => `shard-${shard}`;

function partitions(down: string | null, moved: readonly number[]): PartitionView[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    // Not in turn, as it would be nowhere.
    const first = (Math.imul(partition + 1, 0x9e3779b1) >>> 28) % 3;
    const replicas = [0, 1, 2].map((step) => name(((first + step) % 3) + 1));
    const leader = replicas.find((replica) => replica !== down) ?? null;
    const at = moved.indexOf(partition);
    const [, ...kept] = replicas;
    return {
      ...{ partition, epoch: at === -1 ? 1 : 3, replicas, leader, preferredLeader: replicas[0] ?? '' },
      learners: at >= 2 ? ['shard-4'] : [],
      nextReplicas: at >= 0 && at < 2 ? [...kept, 'shard-4'] : null,
    };
  });
}

function placed(shards: number, down: string | null, moved: readonly PlannedMove[]): PlacedShard[] {
  return Array.from({ length: shards }, (_, i) => name(i + 1)).map((shard, i) => ({
    ...{ shard, ordinal: i + 1, zone: `zone-${(i % 3) + 1}`, weight: 1, since: STARTED_AT },
    state: i === 3 ? 'joining' : 'active',
    verdict: shard === down ? 'down' : 'alive',
    replicas: i === 3 ? 0 : PARTITIONS,
    leaders: i === 3 ? 0 : Math.floor(PARTITIONS / 3),
    arriving: moved.filter(({ add }) => add === shard).length,
    departing: moved.filter(({ remove }) => remove === shard).length,
    ...{ removable: false, notRemovable: 'It holds replicas.' },
  }));
}

function moves(moved: readonly number[]): PlannedMove[] {
  return moved.map((partition, i) => ({
    ...{ partition, add: 'shard-4', remove: name((i % 3) + 1), reason: 'balance' },
    phase: i < 2 ? 'joint' : i < 4 ? 'learn' : 'planned',
    waitsFor:
      i < 2 ? 'both sets to commit' : i < 4 ? 'shard-4 to have copied it' : 'one of four that are under way',
    startedAt: i < 4 ? STARTED_AT : null,
    bytesDone: i < 2 ? 8_400_000 : i < 4 ? 3_100_000 : 0,
    bytesTotal: 8_400_000,
    bytesPerSecond: i >= 2 && i < 4 ? 12_500_000 : 0,
    endsInMs: i < 4 ? 1_000 * (i + 1) : 4_000,
  }));
}

function cluster(
  rows: Members,
  entries: readonly PartitionView[],
  shards: readonly PlacedShard[],
): ClusterEvent {
  const down = rows.filter(({ verdict }) => verdict === 'down').map(({ id }) => `${id} is down`);
  return {
    ...{ id: 'b1946ac9', name: 'example', health: down.length > 0 ? 'degraded' : 'healthy', reasons: down },
    members: rows,
    coordinator: { leader: 'coordinator-2', term: 4, joint: false, members: [] },
    partitionMap: {
      ...{ epoch: 3, partitions: entries.length, replicationFactor: 3, withoutLeader: 0, withoutMajority: 0 },
      shards: shards.map(({ shard, ordinal, zone, state }) => ({
        ...{ shard, ordinal, zone, state },
        replicas: entries.filter(({ replicas }) => replicas.includes(shard)).length,
        leaders: entries.filter(({ leader }) => leader === shard).length,
      })),
    },
  };
}

function load(rows: Members, at: number): LoadEvent {
  const wave = Math.sin(at / 40_000);
  return {
    at: new Date(at).toISOString(),
    requests: { perSecond: 420 + 60 * wave, latencyMsP50: 1.4 + 0.2 * wave, latencyMsP99: 6.1 - wave },
    members: rows.map(({ service, id, verdict }, i) => ({
      ...{ service, id, phi: 0.4 },
      load:
        verdict === 'down'
          ? null
          : {
              ...{ cpuCores: 0.08 + i / 100, memoryBytes: (70 + i) * 2 ** 20, eventLoopLagMs: 1.2 },
              ...{ inFlight: i % 4, requestsPerSecond: service === 'shard' ? 140 : 420 },
            },
    })),
  };
}

/** `namesakes`: as one down that is not there any more, beside gateways that have the ids of others. */
export type SceneName = 'healthy' | 'one-down' | 'moving' | 'namesakes';

const NAMESAKES = ['shard-2', 'coordinator-2'].map((id) => member('gateway', id));

export function sceneOf(which: SceneName, at: number): Scene {
  const down = which === 'one-down' || which === 'namesakes' ? 'shard-2' : null;
  const shards = which === 'moving' ? 4 : 3;
  const moved = which === 'moving' ? moves(MOVED) : [];
  const all = members(shards, down);
  const rows = which === 'namesakes' ? [...all.filter(({ id }) => id !== down), ...NAMESAKES] : all;
  const entries = partitions(down, which === 'moving' ? MOVED : []);
  const places = placed(shards, down, moved);
  return {
    cluster: cluster(rows, entries, places),
    moves: {
      ...{ epoch: 7, paused: false, limits: PLACEMENT_LIMITS_DEFAULT, blocked: null, leaderChanges: 0 },
      ...{ moves: moved, movesTotal: moved.length, bytesTotal: moved.length * 8_400_000, shards: places },
    },
    load: load(rows, at),
    partitions: entries,
  };
}

/** Ten minutes of it. */
export function historyUntil(end: number): LoadHistoryView['items'] {
  return Array.from({ length: 120 }, (_, i) => {
    const { at, requests } = load([], end - (120 - i) * 5_000);
    return { at, ...requests };
  });
}
