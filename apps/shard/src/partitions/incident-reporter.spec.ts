import { describe, expect, it } from '@jest/globals';
import { FakeCoordinator } from '@ringleader/coordination/testing';
import { OperationalError } from '@ringleader/contracts';
import { createLogger } from '@ringleader/observability';
import { until } from '@ringleader/testing-servers';
import { IncidentReporter } from './incident-reporter.js';

const WAIT = { timeoutMs: 5_000, everyMs: 1 };

describe('incidents of differing rows', () => {
  const logger = createLogger({ level: 'silent', service: 'shard', member: 'shard-1' });

  it('are told by partition, with some of the keys, until they are written down', async () => {
    const coordinator = new FakeCoordinator();
    const { ask } = coordinator;
    let failures = 2;
    coordinator.ask = (operation, request) =>
      failures-- > 0 ? Promise.reject(new OperationalError('UNAVAILABLE', 'none')) : ask(operation, request);
    const reporter = new IncidentReporter(coordinator, 'shard-1', logger, { gatherMs: 1, retryMs: 1 });
    for (let i = 0; i < 12; i++) reporter.note(4, { kind: 'rowMended', partition: 7, key: `k${i}` });
    reporter.note(4, { kind: 'rowDiffers', partition: 7, key: 'x', shards: [2, 1], isTie: true });
    reporter.note(4, { kind: 'verified', partition: 7, complete: true, rows: 1, differed: 0, mended: 0 });
    await until('both', () => coordinator.incidents.length === 2, WAIT);
    expect(coordinator.incidents).toMatchObject([
      { kind: 'REPLICA_DIFFERED', shard: 'shard-1', ordinal: 4, partition: 7, mended: true },
      { partition: 7, mended: false, keys: ['x'] },
    ]);
    expect(coordinator.incidents[0]!.keys).toHaveLength(10);
    expect(coordinator.incidents[0]!.detail).toContain('12 rows');
    expect(coordinator.incidents[1]!.detail).toContain('1, 2');
    reporter.note(4, { kind: 'rowMended', partition: 8, key: 'later' });
    await until('the next', () => coordinator.incidents.length === 3, WAIT);
    reporter.stop();
  });
});
