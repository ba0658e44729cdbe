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

  it('does not end with a position that the replica is past', () => {
    const cluster = started({ ...LIMITS, repairRowsMax: 4 });
    write(cluster, 'a', 'v');
    cluster.run(50);
    const own = cluster.storage(3).records.get(P)?.position;
    cluster.kill(3);
    for (let index = 0; index < 300; index += 1) write(cluster, `k${index}`, 'v');
    let refused = 0;
    cluster.changesMessage = (_from, message) => {
      if (message.kind !== 'finish' || refused > 0 || own === undefined) return message;
      refused += 1;
      return { ...message, to: own, rows: [], absent: [], commit: 0 };
    };
    cluster.start(3);
    const finished = (): number =>
      cluster.events.filter(({ shard, event }) => shard === 3 && event.kind === 'copyFinished').length;
    cluster.until(() => finished() > 0);
    cluster.run(5);
    expect(refused).toBe(1);
    expect(cluster.storage(3).records.get(P)?.position.revision).toBe(301);
  });
});
