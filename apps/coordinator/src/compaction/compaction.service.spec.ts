import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import { METADATA_PREFIX } from '@ringleader/contracts';
import type { CommandResult } from '@ringleader/mvcc';
import { createLogger } from '@ringleader/observability';
import { until } from '@ringleader/testing-servers';
import { GroupOfOne, ManualClock } from '../../test/group-of-one.js';
import { coordinatorConfigSchema } from '../coordinator.config.js';
import { CompactionService } from './compaction.service.js';

const WAIT = { timeoutMs: 5_000, everyMs: 5 };
const LIMIT = 1_048_576;

describe('CompactionService', () => {
  const group = { now: new GroupOfOne() };
  let clock: ManualClock;
  let service: CompactionService | null = null;

  const start = (settings: Record<string, string> = {}): void => {
    const environment = {
      RINGLEADER_MEMBER: 'c-1',
      RINGLEADER_COORDINATOR_ID: '1',
      RINGLEADER_DATA_DIR: '/data',
      ...settings,
    };
    group.now = new GroupOfOne();
    clock = new ManualClock();
    const config = loadConfig(coordinatorConfigSchema, environment);
    const logger = createLogger({ level: 'silent', service: 'coordinator', member: 'c-1' });
    service = new CompactionService(config, group.now.store, clock, logger);
    service.onApplicationBootstrap();
  };
  afterEach(() => service?.onApplicationShutdown());

  const put = (key: string, sizeBytes = 0): Promise<CommandResult> => {
    const value = new Uint8Array(sizeBytes);
    const success = [{ kind: 'put', key, value, lease: 0, wantsPrevious: false } as const];
    return group.now.store.propose({ kind: 'txn', compare: [], success, failure: [] });
  };
  const remove = (key: string): Promise<CommandResult> => {
    const success = [{ kind: 'delete', key, rangeEnd: null, wantsPrevious: false } as const];
    return group.now.store.propose({ kind: 'txn', compare: [], success, failure: [] });
  };
  const times = async (count: number, step: (i: number) => Promise<unknown>): Promise<void> => {
    for (let i = 0; i < count; i++) await step(i);
  };
  const compacted = (): number => group.now.store.local.compactedRevision;
  const isCompactedTo = (revision: number): Promise<void> =>
    until(`compaction to ${revision}`, () => compacted() === revision, WAIT);
  const isLimited = (): Promise<void> =>
    until('the limit', () => group.now.store.local.sizeLimit.sizeBytesMax === LIMIT, WAIT);

  it('keeps as many changes as are set, and compacts at twice as many', async () => {
    start({ RINGLEADER_COMPACTION_EVENTS: '5' });
    await times(10, () => put('a'));
    expect(compacted()).toBe(0);
    await put('a');
    await isCompactedTo(6);
  });

  it('forgets what is older than is set, also where nothing happens', async () => {
    start({ RINGLEADER_COMPACTION_AGE_MS: '1000' });
    await times(3, () => put('a'));
    clock.now += 500;
    await put('a');
    clock.now += 499;
    service?.check();
    expect(group.now.proposals).toBe(4);
    clock.now += 1;
    service?.check();
    await isCompactedTo(1);
    clock.now += 1_000;
    service?.check();
    await isCompactedTo(4);
  });

  it('keeps ages in mind for no longer than they count, also where another member leads', async () => {
    start({ RINGLEADER_COMPACTION_AGE_MS: '1000' });
    await put('a');
    const { proposals } = group.now;
    group.now.lead({ term: 1, leader: 2, leading: false });
    for (let i = 0; i < 200; i++) {
      clock.now += 50;
      service?.check();
    }
    expect(service?.agesKept).toBeLessThan(25);
    expect(group.now.proposals).toBe(proposals);
  });

  describe('of a long history', () => {
    const PUTS = 1_500;
    const commit = async (name: string): Promise<void> => {
      const success = Array.from({ length: PUTS }, (_, i) => {
        const put = { kind: 'put' as const, lease: 0, wantsPrevious: false };
        return { ...put, key: `${name}/${i}`, value: new Uint8Array() };
      });
      await group.now.store.propose({ kind: 'txn', compare: [], success, failure: [] });
    };
    const compactions = async (revision: number): Promise<[number, CommandResult]> => {
      const { proposals } = group.now;
      const result = await group.now.store.compact(revision);
      return [group.now.proposals - proposals, result];
    };

    beforeEach(async () => {
      start({ RINGLEADER_COMPACTION_EVENTS: '1000000' });
      await times(20, (i) => commit(String(i % 2)));
    });

    it('forgets no more in one command than all members can beside their heartbeats', async () => {
      const [commands, result] = await compactions(19);
      expect([commands, result]).toMatchObject([4, { kind: 'compacted' }]);
      expect([compacted(), group.now.store.local.eventCount]).toEqual([19, PUTS]);
      expect(await compactions(20)).toMatchObject([1, { kind: 'compacted' }]);
    });

    it('forgets nothing for the sake of a revision that is to come, or that is gone', async () => {
      const futureRevision = { kind: 'rejected', rejection: { reason: 'futureRevision', revision: 20 } };
      expect(await compactions(21)).toMatchObject([1, futureRevision]);
      expect(compacted()).toBe(0);
      await compactions(20);
      const gone = { kind: 'rejected', rejection: { reason: 'compacted', compactedRevision: 20 } };
      expect(await compactions(3)).toMatchObject([1, gone]);
    });

    it('goes on where somebody else has forgotten more than a step', async () => {
      const compaction = compactions(20);
      await group.now.store.propose({ kind: 'compact', revision: 15 });
      expect(await compaction).toMatchObject([3, { kind: 'compacted' }]);
      expect(compacted()).toBe(20);
    });
  });

  it('does so as long as it leads, and goes on where it could not be confirmed', async () => {
    start({ RINGLEADER_COMPACTION_EVENTS: '1' });
    group.now.lead({ term: 2, leader: 2, leading: false });
    await times(5, () => put('a'));
    expect(group.now.proposals).toBe(5);
    group.now.failures.push('outcomeUnknown');
    group.now.lead({ term: 3, leader: 1, leading: true });
    service?.check();
    await until('the failure', () => group.now.failures.length === 0, WAIT);
    await until('another try', () => (service?.check(), compacted() === 4), WAIT);
  });

  describe('of a store that has a limit', () => {
    it('says the limit once half of it is reached, and again where it is another', async () => {
      start({ RINGLEADER_STORE_BYTES_MAX: String(LIMIT) });
      await put('a', 520_000);
      expect(group.now.proposals).toBe(1);
      await put('b', 5_000);
      await isLimited();
      expect(group.now.store.local.sizeLimit.exemptPrefix).toBe(METADATA_PREFIX);
      await group.now.store.propose({ kind: 'limitSize', sizeBytesMax: 1, exemptPrefix: '' });
      await isLimited();
    });

    it('forgets history before a write is refused for it', async () => {
      start({ RINGLEADER_STORE_BYTES_MAX: String(LIMIT) });
      // Many times the limit, of which only the last is present.
      const refused: CommandResult[] = [];
      await times(800, async () => {
        const result = await put('a', 32_000);
        if (result.kind === 'rejected') refused.push(result);
      });
      expect(refused).toEqual([]);
      expect(group.now.store.local.sizeBytes).toBeLessThan(LIMIT);
      // Where most is present, history is forgotten now and then only.
      await times(25, (i) => put(`k${i}`, 32_000));
      const { proposals } = group.now;
      await times(300, () => put('b'));
      expect(group.now.proposals - proposals - 300).toBeLessThan(10);
    });

    it('is full, takes deletions, and after them forgets what makes room, by itself', async () => {
      start({ RINGLEADER_STORE_BYTES_MAX: String(LIMIT) });
      const storeFull = expect.objectContaining({
        rejection: expect.objectContaining({ reason: 'storeFull' }),
      });
      await times(31, (i) => put(`k${i}`, 32_000));
      await isLimited();
      await times(3, () => put('more', 32_000));
      expect(await put('more', 32_000)).toEqual(storeFull);
      expect(await put(`${METADATA_PREFIX}members/shard/shard-1`, 32_000)).toMatchObject({ kind: 'txn' });
      await times(5, (i) => remove(`k${i}`));
      await until('room', async () => (await put('more', 32_000)).kind === 'txn', WAIT);
      // What is full of what is present stays so, and proposes nothing for it.
      const isFullForGood = async (): Promise<boolean> => {
        const hasHistory = compacted() !== group.now.store.local.revision;
        return (await put(`l${group.now.proposals}`, 32_000)).kind === 'rejected' && !hasHistory;
      };
      await until('no room', isFullForGood, WAIT);
      const { proposals } = group.now;
      await times(3, () => put('more', 32_000));
      service?.check();
      expect(group.now.proposals).toBe(proposals + 3);
    });

    const follow = (): void => group.now.lead({ term: 2, leader: 2, leading: false });
    const settled = async (): Promise<void> => {
      service?.check();
      await times(3, () => put('settled'));
    };

    it('forgets no history for leases that have no room: it would make none', async () => {
      start({ RINGLEADER_STORE_BYTES_MAX: String(LIMIT) });
      const limit = { sizeBytesMax: LIMIT, exemptPrefix: METADATA_PREFIX };
      await group.now.store.propose({ kind: 'limitSize', ...limit });
      await times(3, () => put('a'));
      const grant = () => group.now.store.propose({ kind: 'leaseGrant', ttlMs: 1_000, wanted: 0 });
      await until('no room', async () => (await grant()).kind === 'rejected', WAIT);
      await settled();
      expect(compacted()).toBe(0);
    });

    it('forgets nothing as a new leader for what was full under the one before', async () => {
      start({ RINGLEADER_STORE_BYTES_MAX: String(LIMIT) });
      await times(31, (i) => put(`k${i}`, 32_000));
      await isLimited();
      follow();
      await until('no room', async () => (await put('more', 32_000)).kind === 'rejected', WAIT);
      await times(25, (i) => remove(`k${i}`));
      const { revision } = group.now.store.local;
      await group.now.store.compact(revision);
      await times(3, () => put('a'));
      group.now.lead({ term: 3, leader: 1, leading: true });
      await settled();
      expect(compacted()).toBe(revision);
    });
  });
});
