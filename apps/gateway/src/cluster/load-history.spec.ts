import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '@ringleader/testing-servers';
import { RecentDurations } from '../health/http-metrics.js';
import { LoadHistory } from './load-history.js';

const SOON = { timeoutMs: 10_000, everyMs: 1 };
let history: LoadHistory;
afterEach(() => history.stop());

describe('what a gateway had to do', () => {
  it('is remembered step by step, with the latency of each alone', async () => {
    const durations = new RecentDurations();
    history = new LoadHistory({ durations, intervalMs: 20 });
    expect(history.items).toEqual([]);
    history.start();
    for (let i = 0; i < 10; i++) durations.observe(8);
    await until('a step', () => history.items.length > 0, SOON);
    durations.observe(64);
    await until('the next', () => history.items.some(({ latencyMsP50 }) => (latencyMsP50 ?? 0) > 50), SOON);
    await until('a quiet one', () => history.items.at(-1)?.latencyMsP50 === null, SOON);
    const [first] = history.items;
    expect(first?.latencyMsP50).toBeGreaterThan(7);
    expect(first?.latencyMsP99).toBeLessThan(10);
    expect(first?.perSecond).toBeGreaterThan(0);
    expect(history.items.at(-1)).toMatchObject({ perSecond: 0, latencyMsP99: null });
    const times = history.items.map(({ at }) => at);
    expect(times).toEqual([...times].sort());
  });

  it('is forgotten after 120 steps', async () => {
    history = new LoadHistory({ durations: new RecentDurations(), intervalMs: 1 });
    history.start();
    await until('all of them', () => history.items.length === 120, SOON);
    const oldest = history.items[0]?.at;
    await until('a newer one', () => history.items[0]?.at !== oldest, SOON);
    expect(history.items).toHaveLength(120);
  });
});
