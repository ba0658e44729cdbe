import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createUser } from '@nats-io/nkeys';
import {
  CLUSTER_KEY,
  type CoordinatorMembers,
  type PartitionEntry,
  memberKey,
  partitionKey,
  shardKey,
  verdictKey,
} from '@ringleader/contracts';
import { createLogger } from '@ringleader/observability';
import { type Coordinators, DataPlane, readDataPlane } from './data-plane.js';

const logger = createLogger({ level: 'silent', service: 'operator', member: 'operator-1' });

describe('the connection to a cluster', () => {
  let server: Server;
  afterEach(() => {
    server.close();
  });

  it('that comes when it is wanted no more is closed', async () => {
    const accepted = Promise.withResolvers<Socket>();
    server = createServer((socket) => accepted.resolve(socket));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const seed = Buffer.from(createUser().getSeed()).toString();
    const plane = new DataPlane({
      ...{ cluster: 'demo', member: 'operator-1', logger, onChange: () => undefined },
      access: { servers: [`nats://127.0.0.1:${port}`], ca: null, seed },
    });
    const socket = await accepted.promise;
    const closed = plane.close();
    // As a nats-server greets, and answers the first ping.
    const info = { server_id: 'a', version: '2.11.0', proto: 1, port, max_payload: 8_388_608, nonce: 'n' };
    socket.write(`INFO ${JSON.stringify({ ...info, headers: true })}\r\n`);
    socket.on('data', (said: Buffer) => {
      if (said.toString().includes('PING')) socket.write('PONG\r\n');
    });
    await once(socket, 'close');
    await closed;
    expect(plane.coordinators).toBeNull();
  }, 10_000);
});

describe('what the coordinators have', () => {
  const group = { members: [], leader: 'coordinator-1' } as unknown as CoordinatorMembers;
  const entry: PartitionEntry = {
    ...{ partition: 0, epoch: 1, replicas: [1, 2, 3], nextReplicas: null, learners: [], preferredLeader: 1 },
  };
  const named = (ordinal: number): string => `shard-${ordinal}`;
  let records: Map<string, object>;
  beforeEach(() => {
    records = new Map<string, object>([
      [
        CLUSTER_KEY,
        {
          ...{ formatVersion: 1, clusterId: 'c', name: 'demo', partitionCount: 16, replicationFactor: 3 },
          ...{ initialShards: 3, createdAt: '2026-01-01T00:00:00Z' },
        },
      ],
      [partitionKey(0), entry],
    ]);
    for (const ordinal of [1, 2, 3]) {
      const name = named(ordinal);
      records.set(memberKey('shard', name), {
        ...{ service: 'shard', id: name, address: 'a', version: '1', startedAt: '2026-01-01T00:00:00Z' },
        ...{ state: 'serving', instance: 'i', ordinal },
      });
      records.set(shardKey(name), {
        ...{ shardId: name, ordinal, zone: '', weight: 1, incarnation: 1 },
        ...{ systemIdentifier: '1', timeline: 1, walPosition: '0/1' },
      });
    }
  });

  const read = () =>
    readDataPlane({
      members: () => Promise.resolve(group),
      ask: () => Promise.resolve({ shards: [], plan: null }),
      range: ({ key, rangeEnd }: { key: string; rangeEnd?: string }) => {
        const isIn = (one: string): boolean =>
          rangeEnd === undefined ? one === key : one >= key && one < rangeEnd;
        const items = [...records].filter(([one]) => isIn(one)).sort(([a], [b]) => (a < b ? -1 : 1));
        return Promise.resolve({
          ...{ revision: 1, more: false, count: items.length },
          items: items.map(([one, value]) => ({
            ...{ key: one, value: JSON.stringify(value), lease: 0 },
            ...{ createRevision: 1, modRevision: 1, version: 1 },
          })),
        });
      },
    } as unknown as Coordinators);

  it('is seen', async () => {
    expect(await read()).toMatchObject({
      ...{ clusterId: 'c', founded: { partitions: 16, replicationFactor: 3 }, unreadable: [] },
      ...{ partitionsWithoutMajority: 0, members: [{ id: 'shard-1' }, { id: 'shard-2' }, { id: 'shard-3' }] },
    });
  });

  it.each([
    ['a member', memberKey('shard', 'shard-3'), 0],
    ['a registration', shardKey('shard-3'), 0],
    ['a verdict', verdictKey('shard', 'shard-3'), 0],
    ['an entry of the map', partitionKey(1), 0],
  ])('is seen beside %s that cannot be read', async (_, key, partitionsWithoutMajority) => {
    records.set(key, { of: 'a newer version' });
    expect(await read()).toMatchObject({ clusterId: 'c', unreadable: [key], partitionsWithoutMajority });
  });

  it('says nothing of majorities where what cannot be read may be of those that are missed', async () => {
    records.delete(shardKey('shard-2'));
    expect((await read()).partitionsWithoutMajority).toBe(0);
    records.set(shardKey('shard-3'), {});
    expect((await read()).partitionsWithoutMajority).toBeNull();
    records.delete(shardKey('shard-3'));
    expect((await read()).partitionsWithoutMajority).toBe(1);
  });

  it('is nothing where nobody can read which cluster it is', async () => {
    records.set(CLUSTER_KEY, {});
    await expect(read()).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});
