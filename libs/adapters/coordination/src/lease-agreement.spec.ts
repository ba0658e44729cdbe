import { beforeEach, describe, expect, it } from '@jest/globals';
import { memberKey } from '@ringleader/contracts';
import type { Member } from '@ringleader/contracts';
import { FakeCoordinator } from '../test/fake-coordinator.js';
import { requireSameLease } from './lease-agreement.js';

describe('requireSameLease', () => {
  let coordinator: FakeCoordinator;

  beforeEach(() => {
    coordinator = new FakeCoordinator();
  });

  function register(id: string, change: Partial<Member>): void {
    const member: Member = {
      service: 'shard',
      id,
      address: '',
      version: '1.0.0',
      instance: 'i',
      startedAt: '2026-01-01T00:00:00.000Z',
      ordinal: 1,
      state: 'serving',
      ...change,
    };
    coordinator.put([memberKey(member.service, id), JSON.stringify(member)]);
  }

  const requiredBy = (shardId: string, leaseMs: number): Promise<void> =>
    requireSameLease(coordinator, { shardId, leaseMs });

  it('passes where all have the same, or say none, or are no shards', async () => {
    register('shard-1', { leaseMs: 600 });
    register('shard-2', { leaseMs: 600 });
    register('shard-3', {});
    register('gateway-1', { service: 'gateway', leaseMs: 100 });
    await expect(requiredBy('shard-2', 600)).resolves.toBeUndefined();
  });

  it('names who has another, on whatever page of the registry', async () => {
    coordinator.pageSize = 2;
    for (const id of ['shard-1', 'shard-2', 'shard-3', 'shard-4']) register(id, { leaseMs: 600 });
    register('shard-5', { leaseMs: 700 });
    await expect(requiredBy('shard-1', 600)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { setting: 'RINGLEADER_LEASE_MS', shard: 'shard-5', present: 600, expected: 700 },
    });
  });

  it('does not compare a shard with its own former process', async () => {
    register('shard-1', { leaseMs: 600 });
    await expect(requiredBy('shard-1', 700)).resolves.toBeUndefined();
  });

  it('reads of a newer version what it needs, and passes over what it cannot read', async () => {
    coordinator.put([memberKey('shard', 'shard-2'), 'damaged']);
    register('shard-3', { leaseMs: 600, state: 'hibernating' as 'serving' });
    await expect(requiredBy('shard-1', 600)).resolves.toBeUndefined();
    await expect(requiredBy('shard-1', 700)).rejects.toMatchObject({ details: { shard: 'shard-3' } });
  });
});
