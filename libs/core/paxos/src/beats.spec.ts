import { describe, expect, it } from '@jest/globals';
import { HYBRID_UNITS_PER_MS, seededPrng } from '@ringleader/primitives';
import { LIMITS, TIMINGS } from '../test/memory-cluster.js';
import { PaxosShard, RULES, togetherEvery } from './index.js';

const INTERVAL_MS = TIMINGS.heartbeatIntervalMs;
const ASSIGNMENT = {
  ...{ partition: 0, epoch: 1, replicas: [1, 2, 3], nextReplicas: null, learners: [], preferredLeader: 1 },
};

/** Wall-clock times of the heartbeats to one peer, of a shard that is started at this monotonic time. */
function beats(startedAt: number, wallAhead: number, lateAt: (now: number) => number = () => 0): number[] {
  const shard = new PaxosShard({
    ...{ ordinal: 1, incarnation: 1, timings: TIMINGS, limits: LIMITS, records: [], rules: RULES, startedAt },
    ...{ stamp: () => startedAt * HYBRID_UNITS_PER_MS, prng: seededPrng(1) },
    nextBeat: togetherEvery(INTERVAL_MS),
  });
  shard.learnMap([ASSIGNMENT], startedAt);
  const times: number[] = [];
  for (
    let now = startedAt;
    now < startedAt + 10 * INTERVAL_MS;
    now = Math.max(now + 1, shard.nextDeadline())
  ) {
    now += lateAt(now);
    shard.tick(now, now + wallAhead);
    const { messages } = shard.takeReady();
    if (messages.some(({ to, message }) => to === 2 && message.kind === 'heartbeat'))
      times.push(now + wallAhead);
  }
  return times;
}

describe('beats', () => {
  it('of shards whose wall clocks agree come together, whenever each was started', () => {
    const one = beats(1_000, 1_000_000).slice(1, 6);
    const other = beats(77_031, 1_000_000 + 1_000 - 77_031 + 17).slice(1, 6);
    expect(other).toEqual(one);
    for (const [index, at] of one.entries())
      if (index > 0) expect(at - (one[index - 1] ?? 0)).toBe(INTERVAL_MS);
  });

  it('come together again after a late one, at most a quarter of an interval later than they might', () => {
    const times = beats(1_000, 1_000_000, (now) =>
      now >= 1_000 + 4 * INTERVAL_MS && now < 1_040 + 4 * INTERVAL_MS ? 127 : 0,
    );
    const gaps = times.map((at, index) => at - (times[index - 1] ?? at)).slice(1);
    expect(Math.max(...gaps.slice(1))).toBeGreaterThan(INTERVAL_MS);
    expect(times.slice(-3).map((at) => at % INTERVAL_MS)).toEqual([0, 0, 0]);
  });
});
