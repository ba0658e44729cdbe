import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memberKey, OperationalError } from '@ringleader/contracts';
import type { Member } from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import type { CallOptions } from './coordination-client.js';
import { FakeCoordinator } from '../test/fake-coordinator.js';
import { MemberRegistration } from './member-registration.js';

const WAIT = { timeoutMs: 5_000, everyMs: 1 };
const KEY = memberKey('gateway', 'gateway-1');
const MEMBER: Member = {
  service: 'gateway',
  id: 'gateway-1',
  address: '127.0.0.1:1',
  version: '1.0.0',
  instance: 'i',
  startedAt: '2026-01-01T00:00:00.000Z',
  ordinal: 0,
  state: 'starting',
};

describe('MemberRegistration', () => {
  let coordinator: FakeCoordinator;
  let registration: MemberRegistration;
  let leases: number[];
  let troubles: string[];

  beforeEach(() => {
    coordinator = new FakeCoordinator();
    leases = [];
    troubles = [];
    registration = new MemberRegistration({
      client: coordinator,
      member: MEMBER,
      ttlMs: 30,
      onRegistered: (lease) => leases.push(lease),
      onTrouble: ({ code }) => troubles.push(code),
    });
  });

  afterEach(() => registration.stop());

  const registered = (): Member | null => {
    const item = coordinator.items.get(KEY);
    return item === undefined ? null : (JSON.parse(item.value) as Member);
  };

  it('registers under a lease and keeps it alive', async () => {
    await registration.start();
    expect(registered()).toEqual(MEMBER);
    expect(coordinator.items.get(KEY)?.lease).toBe(1);
    await until(
      'two renewals',
      () => coordinator.calls.filter((operation) => operation === 'leaseKeepAlive').length > 1,
      WAIT,
    );
    expect(leases).toEqual([1]);
  });

  it('registers again when the lease is lost', async () => {
    await registration.start();
    coordinator.expire(1);
    await until('the second registration', () => leases.length === 2, WAIT);
    expect(registered()).toEqual(MEMBER);
    expect(troubles).toEqual(['LEASE_NOT_FOUND']);
  });

  it('registers again where another process of its name has taken its place, and left', async () => {
    await registration.start();
    const other = new MemberRegistration({ client: coordinator, member: { ...MEMBER, instance: 'other' } });
    await other.start();
    const { length } = coordinator.calls;
    const renewals = (): number =>
      coordinator.calls.slice(length).filter((operation) => operation === 'leaseKeepAlive').length;
    await until('two renewals', () => renewals() > 1, WAIT);
    expect(registered()?.instance).toBe('other');
    await other.stop();
    await until('the second registration', () => registered() !== null, WAIT);
    expect(registered()).toEqual(MEMBER);
    expect(coordinator.items.get(KEY)?.lease).toBe(1);
  });

  it('is what it is again where coordinators were restored that have what it was before', async () => {
    await registration.start();
    const before = coordinator.items.get(KEY);
    registration.update({ state: 'serving' });
    await until('the new state', () => registered()?.state === 'serving', WAIT);
    if (before !== undefined) coordinator.items.set(KEY, before);
    await until('the new state once more', () => registered()?.state === 'serving', WAIT);
    expect(leases).toEqual([1]);
  });

  it('writes what changes, also if nobody could be reached at first', async () => {
    await registration.start();
    coordinator.failNext('txn', 'UNAVAILABLE');
    registration.update({ state: 'serving' });
    await until('the new state', () => registered()?.state === 'serving', WAIT);
    expect(troubles).toEqual(['UNAVAILABLE']);
    expect(leases).toEqual([1]);
  });

  it('tries until it is registered', async () => {
    coordinator.failNext('leaseGrant', 'OUTCOME_UNKNOWN', 'after');
    coordinator.failNext('txn', 'OUTCOME_UNKNOWN', 'after');
    await registration.start();
    expect(troubles).toEqual(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN']);
    expect(registered()).toEqual(MEMBER);
  });

  describe('whose answer to a write is lost, and the write on its way for long', () => {
    type Txn = Parameters<FakeCoordinator['txn']>[0];
    let late: Txn[];
    const loseNext = (): void => {
      const txn = coordinator.txn.bind(coordinator);
      coordinator.txn = (request) => {
        late.push(request);
        coordinator.txn = txn;
        return Promise.reject(new OperationalError('OUTCOME_UNKNOWN', 'as the test wants it'));
      };
    };

    beforeEach(() => {
      late = [];
    });

    it('stays registered when that comes, under a lease that has been given up', async () => {
      loseNext();
      await registration.start();
      expect(leases).toEqual([2]);
      for (const request of late) await coordinator.txn(request);
      coordinator.expire(1);
      expect(registered()).toEqual(MEMBER);
    });

    it('stays what it has become since', async () => {
      await registration.start();
      loseNext();
      registration.update({ state: 'serving' });
      await until('the lost write', () => troubles.length > 0, WAIT);
      registration.update({ state: 'stopping' });
      await until('the newest state', () => registered()?.state === 'stopping', WAIT);
      for (const request of late) await coordinator.txn(request);
      expect(registered()?.state).toBe('stopping');
    });
  });

  it.each(['range', 'txn'] as const)('is renewed in time while nobody answers a %s', async (operation) => {
    await registration.start();
    const renewals = (): number => coordinator.calls.filter((call) => call === 'leaseKeepAlive').length;
    // As the client does: until its own time is over, which is longer than the lease has.
    coordinator[operation] = async (
      _request: unknown,
      { timeoutMs = 60_000 }: CallOptions = {},
    ): Promise<never> => {
      await delay(timeoutMs);
      throw new OperationalError('DEADLINE_EXCEEDED', 'nobody answers');
    };
    registration.update({ state: 'serving' });
    const before = renewals();
    await until('three renewals', () => renewals() >= before + 3, WAIT);
    expect(leases).toEqual([1]);
    expect(new Set(troubles)).toEqual(new Set(['DEADLINE_EXCEEDED']));
  });

  it('leaves at once when stopped', async () => {
    await registration.start();
    await registration.stop();
    expect(registered()).toBeNull();
    expect(registration.isRegistered).toBe(false);
  });
});
