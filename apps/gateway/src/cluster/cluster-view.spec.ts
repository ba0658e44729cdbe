import { describe, expect, it } from '@jest/globals';
import type { Incident, Member, PartitionEntry, ShardRegistration } from '@ringleader/contracts';
import { clusterViewSchema } from '@ringleader/contracts';
import { clusterView, coordinatorNames, unreadyReasons, unservableReasons } from './cluster-view.js';
import type { ClusterKnowledge } from './cluster-view.js';
import { Telemetry } from './telemetry.js';

const NOW = 10_000;
const member = (service: Member['service'], id: string, state: Member['state'] = 'serving'): Member => ({
  service,
  id,
  address: '127.0.0.1:1',
  version: '0.1.0',
  instance: 'i',
  startedAt: '2026-11-23T00:00:00.000Z',
  ordinal: 1,
  state,
});
const shard = (ordinal: number): ShardRegistration => ({
  shardId: `shard-${ordinal}`,
  ordinal,
  zone: '',
  weight: 1,
  incarnation: 1,
  systemIdentifier: 's',
  timeline: 1,
  walPosition: '0/0',
});
const entry = (partition: number): PartitionEntry => ({
  partition,
  epoch: 1 + partition,
  replicas: [1, 2],
  nextReplicas: null,
  learners: [],
  preferredLeader: 1,
});

const incident = (mended: boolean): Incident => ({
  ...{ id: 'i', at: '2026-11-23T00:00:00.000Z', kind: 'REPLICA_DIFFERED', shard: 'shard-2', ordinal: 2 },
  ...{ partition: 3, keys: [], detail: 'It differed', mended },
});

const DETECTOR = { service: 'failure-detector', member: 'd' } as const;

/** A cluster that lacks nothing. */
function whole(): ClusterKnowledge {
  const telemetry = new Telemetry();
  const members = [
    member('shard', 'shard-2'),
    member('shard', 'shard-1'),
    member('coordinator', 'coordinator-1'),
  ];
  telemetry.verdictReport(
    DETECTOR,
    {
      detector: 'd',
      instance: 'i',
      sequence: 1,
      members: members.map(({ service, id }) => ({
        service,
        id,
        verdict: 'alive',
        phi: 0.1,
        lastHeartbeatAgeMs: 1,
      })),
    },
    NOW,
  );
  return {
    name: 'local',
    cluster: {
      clusterId: 'c',
      name: 'local',
      partitionCount: 16,
      replicationFactor: 2,
      initialShards: 2,
      createdAt: '2026-11-23T00:00:00.000Z',
    },
    members,
    shards: [shard(2), shard(1)],
    coordinators: ['coordinator-1'],
    coordinator: { leader: 'coordinator-1', term: 3, joint: false, members: [] },
    detectorQuorum: 1,
    entries: [entry(0), entry(1), entry(2)],
    places: [],
    incidents: [],
    blocked: null,
    transportConnected: true,
    telemetry,
    verdictOf: () => null,
    announcedLeader: (partition) => (partition === 2 ? 2 : 1),
  };
}

describe('coordinatorNames', () => {
  it('counts the coordinator that was away before the gateway came', () => {
    const seen = new Map([
      ['coordinator-2', 2],
      ['coordinator-3', 3],
    ]);
    const coordinators = coordinatorNames(seen, [1, 2, 3, 1, 2, 3]);
    expect(coordinators).toEqual(['coordinator-2', 'coordinator-3', 'coordinator 1']);
    const members = [
      ...whole().members,
      member('coordinator', 'coordinator-2'),
      member('coordinator', 'coordinator-3'),
    ];
    expect(clusterView({ ...whole(), members, coordinators }, NOW).reasons).toEqual([
      'coordinator 1 is not running',
    ]);
  });

  it('does not miss one that was removed from the group, and misses all that were seen while none is known', () => {
    const seen = new Map([1, 2, 3, 4].map((seat) => [`coordinator-${seat}`, seat]));
    expect(coordinatorNames(seen, [1, 3, 4])).toEqual(['coordinator-1', 'coordinator-3', 'coordinator-4']);
    expect(coordinatorNames(seen, [])).toEqual([...seen.keys()]);
  });
});

describe('clusterView', () => {
  it('fits the contract, and sums the partition map up', () => {
    const view = clusterView(whole(), NOW);
    expect(clusterViewSchema.parse(view)).toEqual(view);
    expect([view.health, view.reasons]).toEqual(['healthy', []]);
    expect(view.members.map(({ id }) => id)).toEqual(['coordinator-1', 'shard-1', 'shard-2']);
    expect(view.partitionMap).toMatchObject({
      epoch: 3,
      partitions: 3,
      withoutLeader: 0,
      replicationFactor: 2,
    });
    expect(
      view.partitionMap.shards.map(({ shard: id, replicas, leaders }) => [id, replicas, leaders]),
    ).toEqual([
      ['shard-1', 3, 2],
      ['shard-2', 3, 1],
    ]);
  });

  it.each<[string, Partial<ClusterKnowledge>, string, string]>([
    ['the transport', { transportConnected: false }, 'unavailable', 'the gateway is not connected to NATS'],
    ['the map', { entries: [] }, 'unavailable', 'there is no partition map yet'],
    ['a leader', { announcedLeader: () => null }, 'unavailable', '3 of 3 partitions have no leader'],
    [
      'a coordinator',
      { coordinators: ['coordinator-1', 'coordinator-2'] },
      'degraded',
      'coordinator-2 is not running',
    ],
    ['a shard', { shards: [shard(1), shard(2), shard(3)] }, 'degraded', 'shard-3 is not running'],
    [
      'their leader',
      { coordinator: { leader: null, term: 3, joint: false, members: [] } },
      'degraded',
      'the coordinators have no leader',
    ],
    [
      'a coordinator that has the same as the others',
      {
        coordinator: {
          ...whole().coordinator,
          members: [
            {
              ...{ name: 'coordinator-1', id: '11111111', role: 'voter', term: 3, match: 9, lag: 0 },
              ...{ reachable: true, corrupt: true },
            },
          ],
        },
      },
      'degraded',
      'coordinator-1 is corrupt: it is to be replaced',
    ],
    [
      'moves that go on',
      { blocked: 'a majority is gone' },
      'degraded',
      'moves are blocked: a majority is gone',
    ],
    [
      'an incident that is mended',
      { incidents: [incident(false), incident(true)] },
      'degraded',
      'REPLICA_DIFFERED is not mended: partition 3 of shard-2',
    ],
    ['detectors', { telemetry: new Telemetry() }, 'degraded', 'no failure detector reports'],
    [
      'a majority of the detectors',
      { detectorQuorum: 2 },
      'degraded',
      'too few failure detectors report for verdicts: 1, and it takes 2',
    ],
    [
      'a member that serves',
      { members: [...whole().members, member('gateway', 'gateway-1', 'stopping')] },
      'degraded',
      'gateway-1 is stopping',
    ],
  ])('without %s', (_name, change, health, reason) => {
    const view = clusterView({ ...whole(), ...change }, NOW);
    expect([view.health, view.reasons]).toEqual([health, [reason]]);
  });

  it.each([
    ['is not ready', { instance: 'i', ready: false }, 0, ['shard-1 is not ready']],
    ['is another than the registered one', { instance: 'j', ready: true }, 0, ['shard-1 is not ready']],
    ['is ready', { instance: 'i', ready: true }, 0, []],
    ['has not been heard for long', { instance: 'i', ready: false }, 3_001, []],
  ] as const)('calls a member ready unless its process %s', (_what, beat, ageMs, reasons) => {
    const known = whole();
    const load = { cpuCores: 0, memoryBytes: 0, eventLoopLagMs: 0, inFlight: 0, requestsPerSecond: 0 };
    const speaker = { service: 'shard', member: 'shard-1' } as const;
    const heartbeat = { service: 'shard', id: 'shard-1', sequence: 1, load, ...beat };
    expect(known.telemetry.heartbeat(speaker, heartbeat, NOW - ageMs)).toBe(true);
    expect(clusterView(known, NOW).reasons).toEqual(reasons);
  });

  it('tells partitions that wait for an election from those that have no majority, of both sets while there are two', () => {
    const without = (...names: string[]) => {
      const members = [...whole().members, member('shard', 'shard-3')].filter(
        ({ id }) => !names.includes(id),
      );
      const entries = [entry(0), { ...entry(1), nextReplicas: [1, 3] }];
      const shards = [1, 2, 3].map(shard);
      return clusterView({ ...whole(), members, entries, shards, announcedLeader: () => null }, NOW);
    };
    expect(without().partitionMap).toMatchObject({ withoutLeader: 2, withoutMajority: 0 });
    expect(without('shard-3').partitionMap).toMatchObject({ withoutLeader: 2, withoutMajority: 1 });
    const one = without('shard-1');
    expect(one.health).toBe('unavailable');
    expect(one.reasons).toContain('2 of 2 partitions have no majority of their replicas');
    // Whatever is thought of its replicas, who leads has a majority.
    const led = clusterView({ ...whole(), members: whole().members.slice(1) }, NOW);
    expect(led.partitionMap.withoutMajority).toBe(0);
  });

  it('takes no member of another service for one that has the same id', () => {
    const id = 'shard-1';
    const namesake = [member('gateway', id), member('coordinator', 'coordinator-1')];
    const known = { ...whole(), members: [...namesake, member('shard', 'shard-2')] };
    const missing = clusterView({ ...known, announcedLeader: () => null }, NOW);
    expect(missing.reasons).toContain('shard-1 is not running');
    expect(missing.partitionMap.withoutMajority).toBe(3);

    const load = { cpuCores: 0, memoryBytes: 0, eventLoopLagMs: 0, inFlight: 0, requestsPerSecond: 0 };
    const speaker = { service: 'gateway', member: id } as const;
    const heartbeat = { service: 'gateway', id, instance: 'i', sequence: 1, load, ready: false };
    known.telemetry.heartbeat(speaker, heartbeat, NOW);
    const members = [...known.members, member('shard', id)];
    expect(clusterView({ ...known, members }, NOW).reasons).toEqual(['shard-1 is not ready']);
  });

  it('tells the verdict of the coordinators with its evidence', () => {
    const vote = { detector: 'd', verdict: 'down', phi: 12, missedBeats: 9, silentMs: 2_250 } as const;
    const votes = [{ ...vote, probes: [{ by: 'gateway-1', outcome: 'silent' as const }] }];
    const since = '2026-11-26T00:00:00.000Z';
    const record = { service: 'shard', id: 'shard-2', instance: 'i', verdict: 'down', since, votes } as const;
    const verdictOf = (_service: string, id: string) => (id === 'shard-2' ? record : null);
    const view = clusterView({ ...whole(), verdictOf }, NOW);
    expect(clusterViewSchema.parse(view)).toEqual(view);
    expect(view.reasons).toEqual(['shard-2 is down']);
    const [, first, second] = view.members;
    expect(first).toMatchObject({ verdict: 'alive', verdictSince: null, evidence: [] });
    expect(second).toMatchObject({ verdict: 'down', verdictSince: since, evidence: votes });
  });
});

describe('a gateway', () => {
  const facts = { transportConnected: true, partitions: 16, partitionsWithoutLeader: 0 };

  it.each<[Partial<typeof facts>, readonly string[]]>([
    [{}, []],
    [{ partitionsWithoutLeader: 15 }, []],
    [{ partitionsWithoutLeader: 16 }, ['16 of 16 partitions have no leader']],
    [{ partitions: 0 }, ['there is no partition map yet']],
    [{ transportConnected: false }, ['the gateway is not connected to NATS']],
  ])('with %j can serve but for %j', (change, reasons) => {
    expect(unservableReasons({ ...facts, ...change })).toEqual(reasons);
  });

  it('is ready with NATS and a map, whoever leads: its clients are to be told, not refused', () => {
    expect(unreadyReasons(facts)).toEqual([]);
    for (const [change, reason] of [
      [{ partitions: 0 }, 'there is no partition map yet'],
      [{ transportConnected: false }, 'the gateway is not connected to NATS'],
    ] as const)
      expect(unreadyReasons({ ...facts, ...change })).toEqual([reason]);
  });
});
