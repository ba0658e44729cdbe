import { describe, expect, it } from '@jest/globals';
import { FakeCoordinator } from '@ringleader/coordination/testing';
import type { OperationalError } from '@ringleader/contracts';
import { createLogger } from '@ringleader/observability';
import { WalReporter } from './wal-reporter.js';

/** Of a shard of which another life is registered, or none. */
describe('WalReporter', () => {
  const logger = createLogger({ level: 'silent', service: 'shard', member: 'shard-1' });
  const life = { ordinal: 4, incarnation: 7, storage: { walPosition: () => Promise.resolve('0/10') } };

  it('ends its life where a later one is registered', async () => {
    const reporter = new WalReporter(new FakeCoordinator(), 'shard-1', logger, 1);
    const { promise, resolve } = Promise.withResolvers<OperationalError>();
    reporter.follow(life, resolve);
    expect((await promise).code).toBe('SHARD_SUPERSEDED');
    await reporter.stop();
  });

  it('ends no life but its own: the next one may be registered before its last report is answered', async () => {
    const coordinator = new FakeCoordinator();
    const txn = coordinator.txn.bind(coordinator);
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    coordinator.txn = async (request) => {
      asked.resolve();
      await answered.promise;
      return txn(request);
    };
    const reporter = new WalReporter(coordinator, 'shard-1', logger, 1);
    const ends: OperationalError[] = [];
    reporter.follow(life, (error) => ends.push(error));
    await asked.promise;
    const stopped = reporter.stop();
    answered.resolve();
    await stopped;
    expect(ends).toEqual([]);
  });
});
