import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@ringleader/observability';
import { until } from '@ringleader/testing-servers';
import { GroupOfOne, ManualClock } from '../../test/group-of-one.js';
import { LeaseController } from './lease.controller.js';

const WAIT = { timeoutMs: 5_000, everyMs: 5 };
const SPEAKER = { service: 'shard', member: 'shard-1' } as const;
const LEADER = { term: 1, leader: 1, leading: true };

describe('LeaseController', () => {
  let group: GroupOfOne;
  let clock: ManualClock;
  let keeper: LeaseController;
  let lease: number;

  beforeEach(async () => {
    group = new GroupOfOne();
    clock = new ManualClock();
    const logger = createLogger({ level: 'silent', service: 'coordinator', member: 'c-1' });
    keeper = new LeaseController(group.store, clock, logger);
    keeper.onApplicationBootstrap();
    lease = (await keeper.grant({ ttlMs: 1_000 })).leaseId;
  });

  afterEach(() => keeper.onApplicationShutdown());

  const isGone = (): boolean => group.store.local.lease(lease) === undefined;
  /** Moves the clock in steps that are no pause of the process. */
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.now += 100;
      keeper.check();
    }
  };

  it('ends a lease that is not kept alive', async () => {
    pass(900);
    expect(isGone()).toBe(false);
    pass(200);
    await until('the end of the lease', isGone, WAIT);
  });

  it('ends leases that run out together in parts that do not take long', async () => {
    const KEYS = 1_000;
    for (let i = 0; i < 25; i++) {
      const { leaseId } = await keeper.grant({ ttlMs: 1_000 });
      const success = Array.from({ length: KEYS }, (_, k) => {
        const put = { kind: 'put' as const, lease: leaseId, wantsPrevious: false };
        return { ...put, key: `${i}/${k}`, value: new Uint8Array() };
      });
      await group.store.propose({ kind: 'txn', compare: [], success, failure: [] });
    }
    const ended: number[] = [];
    group.store.onChange((result) => {
      if (result?.kind === 'leasesEnded') ended.push(result.leases.length);
    });
    pass(1_100);
    await until('the end of all leases', () => group.store.local.leaseCount === 0, WAIT);
    // The first one has no keys.
    expect(ended).toEqual([10, 9, 7]);
  });

  it('keeps a lease alive from when the request came', async () => {
    pass(900);
    expect(await keeper.keepAlive({ leaseId: lease })).toEqual({ ttlMs: 1_000 });
    pass(900);
    expect(isGone()).toBe(false);
  });

  it('renews only what a majority confirms', async () => {
    group.hasQuorum = false;
    await expect(keeper.keepAlive({ leaseId: lease })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(group.barriers).toBe(1);
  });

  it('does not renew what does not exist', async () => {
    await expect(keeper.keepAlive({ leaseId: 99 })).rejects.toMatchObject({ code: 'LEASE_NOT_FOUND' });
    await expect(keeper.revoke({ leaseId: 99 }, SPEAKER)).rejects.toMatchObject({ code: 'LEASE_NOT_FOUND' });
  });

  it('sends callers to the leader', async () => {
    group.lead({ term: 2, leader: 3, leading: false });
    await expect(keeper.keepAlive({ leaseId: lease })).rejects.toMatchObject({
      code: 'NOT_LEADER',
      details: { leader: 3 },
    });
  });

  it('does not renew for a leadership that ended while it was confirmed', async () => {
    const renewal = keeper.keepAlive({ leaseId: lease });
    group.lead({ term: 2, leader: 3, leading: false });
    await expect(renewal).rejects.toMatchObject({ code: 'NOT_LEADER' });
  });

  it('starts all over when it leads again', async () => {
    pass(900);
    group.lead({ term: 2, leader: 3, leading: false });
    group.lead({ term: 3, leader: 1, leading: true });
    pass(900);
    expect(isGone()).toBe(false);
    pass(200);
    await until('the end of the lease', isGone, WAIT);
  });

  it('does not count its own pauses against the leases', async () => {
    pass(100);
    clock.now += 10_000;
    keeper.check();
    expect(await keeper.keepAlive({ leaseId: lease })).toEqual({ ttlMs: 1_000 });
  });

  it('tries until it is decided, and renews nothing meanwhile', async () => {
    group.failures.push('outcomeUnknown', 'outcomeUnknown');
    pass(1_100);
    await until('the end of the lease', isGone, WAIT);
    expect(group.proposals).toBe(4);
  });

  it('says that a lease has run out when that is decided, and not each time that it could not be', async () => {
    const said: unknown[] = [];
    keeper.onApplicationShutdown();
    const logger = createLogger({ level: 'silent', service: 'coordinator', member: 'c-1' });
    logger.info = (details: unknown) => said.push(details);
    keeper = new LeaseController(group.store, clock, logger);
    keeper.onApplicationBootstrap();
    group.failures.push('diskFull', 'diskFull', 'diskFull');
    while (!isGone()) {
      pass(200);
      await new Promise(setImmediate);
    }
    expect(said).toEqual([{ leases: [lease], term: LEADER.term }]);
  });

  it('lets a lease live on whose end could not be proposed', async () => {
    group.lead(LEADER);
    group.failures.push('unavailable');
    pass(1_100);
    await until('the proposal', () => group.failures.length === 0, WAIT);
    expect(await keeper.keepAlive({ leaseId: lease })).toEqual({ ttlMs: 1_000 });
    expect(isGone()).toBe(false);
  });
});
