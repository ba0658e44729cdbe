import { describe, expect, it } from '@jest/globals';
import { replicaOf } from '../../test/replicas.js';
import { seededPrng } from '@ringleader/primitives';
import type { Replica } from './replica.js';
import { Wakeups } from './wakeups.js';

function replica(partition: number): Replica {
  const record = {
    partition,
    epoch: 1,
    promised: 0,
    position: { ballot: 0, revision: 0 },
    commitBound: 0,
    purgedTo: 0,
    dedupeFloor: 0,
    generation: 1,
    staging: null,
  };
  return replicaOf(record);
}

describe('Wakeups', () => {
  it('wakes each replica once, at its earliest time, in order', () => {
    const prng = seededPrng(8);
    const wakeups = new Wakeups();
    const replicas = Array.from({ length: 50 }, (_, index) => replica(index));
    const earliest = new Map<number, number>();
    for (let round = 0; round < 400; round += 1) {
      const at = prng.nextBelow(1_000);
      const one = replicas[prng.nextBelow(50)];
      if (one === undefined) continue;
      wakeups.at(one, at);
      earliest.set(one.partition, Math.min(at, earliest.get(one.partition) ?? Infinity));
    }
    expect(wakeups.next()).toBe(Math.min(...earliest.values()));
    let last = 0;
    for (let one = wakeups.takeDue(1_000); one !== null; one = wakeups.takeDue(1_000)) {
      const at = earliest.get(one.partition) ?? -1;
      expect(at).toBeGreaterThanOrEqual(last);
      last = at;
      earliest.delete(one.partition);
    }
    expect(earliest.size).toBe(0);
    expect(wakeups.next()).toBe(Infinity);
  });
});
