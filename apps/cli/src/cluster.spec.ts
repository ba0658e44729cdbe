/** where, incidents, status, verify: what is asked of the gateway, and what is shown. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { testGateway } from '../test/gateway.fixtures.js';
import { describeCluster } from './cluster.js';

const gateway = testGateway();

describe('where and incidents', () => {
  it('say where a key is, whatever stands in it', async () => {
    const place = {
      ...{ key: 'a b&c', partition: 7, epoch: 3, replicas: ['shard-1', 'shard-2', 'shard-3'] },
      ...{
        nextReplicas: ['shard-1', 'shard-2', 'shard-4'],
        learners: [],
        leader: null,
        preferredLeader: 'shard-1',
      },
    };
    gateway.answers = { '/where': [{ body: place }], '/incidents': [{ body: { items: [] } }] };
    expect(await gateway.run('where', 'a b&c')).toBe(
      'partition 7, epoch 3\nleader    nobody (shard-1 is to lead)\nreplicas  shard-1, shard-2, shard-3\n' +
        'next      shard-1, shard-2, shard-4',
    );
    expect(JSON.parse(await gateway.run('where', 'a b&c', '-o', 'json'))).toEqual(place);
    expect(gateway.asked[0]).toBe('GET /where?key=a+b%26c');
    expect(await gateway.run('incidents')).toBe('There was none.');
  });
});

it('shows no member of another service as the leader of the coordinators', () => {
  const member = {
    id: 'host-1',
    address: '',
    version: '1',
    startedAt: '',
    state: 'serving',
    verdict: 'alive',
    verdictSince: null,
    phi: null,
    load: null,
  } as const;
  const partitionMap = {
    epoch: 1,
    partitions: 0,
    replicationFactor: 3,
    withoutLeader: 0,
    withoutMajority: 0,
  };
  const text = describeCluster({
    ...{ id: 'c', name: 'local', health: 'healthy', reasons: [] },
    members: [
      { ...member, service: 'coordinator', evidence: [] },
      { ...member, service: 'gateway', evidence: [] },
    ],
    coordinator: { leader: 'host-1', term: 3, joint: false, members: [] },
    partitionMap: { ...partitionMap, shards: [] },
  });
  const lines = text.split('\n').filter((line) => line.startsWith('host-1'));
  expect(lines.map((line) => line.includes('leader, term 3'))).toEqual([true, false]);
});

describe('verify', () => {
  const verification = (change: object): object => ({
    ...{ id: 'v', startedAt: 's', endedAt: null, partitionsTotal: 16, partitionsDone: 3, incomplete: 0 },
    ...{ rows: 9, differed: 0, mended: 0, ...change },
  });
  const ended = { endedAt: 'e', partitionsDone: 16 };
  afterEach(() => {
    process.exitCode = undefined;
  });

  it('waits for the end, over a gateway that is away for a moment', async () => {
    gateway.answers = {
      ':verify': [{ body: verification({}) }],
      '/verification': [{ status: 503, body: {} }, { body: { verification: verification(ended) } }],
    };
    expect(await gateway.run('verify')).toContain(
      'has ended: 16 of 16 partitions, 9 rows compared.\nNo replica differed.',
    );
    expect([gateway.asked.length, process.exitCode]).toEqual([3, undefined]);
  });

  it('gives up where nobody gateway.answers any more, and says that it goes on', async () => {
    gateway.answers = {
      ':verify': [{ body: verification({}) }],
      '/verification': [{ status: 503, body: {} }],
    };
    await expect(gateway.run('verify', '--give-up-after', '1')).rejects.toMatchObject({
      message: expect.stringMatching(
        /^For 1 s nobody has told how far it is \(.*\)\. The verification goes on/,
      ),
      exitCode: 6,
    });
    expect(gateway.asked.length).toBeGreaterThan(2);
  });

  it('tells by its exit code that rows differed, and what another one has begun', async () => {
    gateway.answers = {
      ':verify': [{ body: verification({ ...ended, differed: 2, mended: 2, incomplete: 1 }) }],
    };
    expect(await gateway.run('verify')).toMatch(/2 rows differed, 2 of them are mended[^]*Of 1 partitions/);
    expect(process.exitCode).toBe(4);
    process.exitCode = undefined;
    gateway.answers = { ':verify': [{ body: verification({ ...ended, incomplete: 1 }) }] };
    expect(await gateway.run('verify')).toMatch(/No replica differed[^]*Of 1 partitions/);
    expect(process.exitCode).toBe(1);
    process.exitCode = undefined;
    // What is under way may still complete them.
    gateway.answers = { ':verify': [{ body: verification({ incomplete: 1 }) }] };
    await gateway.run('verify', '--no-wait');
    expect(process.exitCode).toBeUndefined();
    gateway.answers = {
      ':verify': [{ body: verification({}) }],
      '/verification': [{ body: { verification: verification({ id: 'w' }) } }],
    };
    await expect(gateway.run('verify')).rejects.toThrow('Another verification');
    expect(JSON.parse(await gateway.run('verify', '--no-wait', '-o', 'json'))).toMatchObject({
      id: 'v',
      endedAt: null,
    });
  });
});
