import { describe, expect, it } from '@jest/globals';
import { started, write, P } from '../../test/cluster-client.js';
import { LIMITS } from '../../test/memory-cluster.js';

describe('a copy', () => {
  it('keeps the greatest floor of those who sent its pages, whoever ends it', () => {
    const cluster = started({ ...LIMITS, repairRowsMax: 4 });
    cluster.kill(3);
    for (let index = 0; index < 300; index += 1) write(cluster, `k${index}`, 'v');
    // The leader once purged more than the one that ends the copy.
    cluster.changesMessage = (_from, message) =>
      message.kind === 'page' && message.start === '' ? { ...message, dedupeFloor: 42 } : message;
    cluster.start(3);
    cluster.until(() =>
      cluster.events.some(({ shard, event }) => shard === 3 && event.kind === 'copyFinished'),
    );
    cluster.run(50);
    expect(cluster.storage(3).records.get(P)).toMatchObject({ staging: null, dedupeFloor: 42 });
  });
});
