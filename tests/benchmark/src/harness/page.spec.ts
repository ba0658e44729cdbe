import { describe, expect, it } from '@jest/globals';
import type { LoopResult } from './loop.js';
import { pageOf } from './page.js';
import type { Results, Round, Series } from './results.js';
import { settingsOf } from './settings.js';
import { tableOf } from './table.js';

const percentiles = (p50: number): LoopResult['percentiles'] => ({
  ...{ 50: p50, 75: p50, 90: p50, 95: p50, 99: p50 * 3 },
  ...{ '99.5': p50 * 4, '99.9': p50 * 7, '99.99': p50 * 9, 100: p50 * 11 },
});

const round = (n: number, perSecond: number, cpu: Round['cpuMicroseconds']): Round => ({
  round: n,
  requests: perSecond * 5,
  failures: n === 2 ? 4 : 0,
  failure: '',
  unsent: 0,
  seconds: 5,
  percentiles: percentiles(7.25),
  lagMs: 0,
  operationsPerSecond: perSecond,
  cpuMicroseconds: cpu,
  loadCpuMicroseconds: 9.75,
});

const write = { workload: 'write', clients: 64, valueBytes: 1_024 } as const;
const rounds = (rates: readonly number[], cpu: Round['cpuMicroseconds']): Round[] =>
  rates.map((rate, n) => round(n, rate, cpu));
const series: Series[] = [
  { ...write, perSecond: null, target: 'etcd', rounds: rounds([4_000, 5_000, 4_400], { etcd: 216 }) },
  {
    ...write,
    perSecond: null,
    target: 'ringleader',
    rounds: rounds([6_000, 5_500, 6_600], { shard: 80, postgres: 51, gateway: 31 }),
  },
  { ...write, perSecond: 2_200, target: 'ringleader', rounds: rounds([2_200, 2_200, 2_199], { shard: 90 }) },
];

const results: Results = {
  format: 1,
  startedAt: '2026-11-26T12:00:00.000Z',
  endedAt: '2026-11-26T13:00:00.000Z',
  commit: 'abcdef123456',
  machine: { processors: '2 x <Processor> & "more"' },
  versions: { node: '26.10.0', postgres: '18.4' },
  load: 'a program in Go',
  settings: settingsOf({ rounds: 3, seconds: 5 }),
  targets: [
    { name: 'etcd', version: '3.7.3', description: 'three nodes' },
    { name: 'ringleader', version: 'abcdef123456', description: 'shards: 3' },
  ],
  reference: 'etcd',
  series,
  idle: [{ target: 'ringleader', cpuMsPerSecond: { shard: 41.5 } }],
  memory: [
    {
      ...{ target: 'etcd', keys: 2_000_000, valueBytes: 1_024, fillSeconds: 40 },
      ...{ before: { etcd: 100 * 2 ** 20 }, after: { etcd: 700 * 2 ** 20 } },
    },
  ],
  notes: ['zookeeper was left out: <nothing> there.'],
};

describe('the page', () => {
  const page = pageOf(results);

  it('has what was measured, with on what', () => {
    for (const text of [
      ...[
        'abcdef123456',
        '2026-11-26T12:00:00.000Z',
        'node 26.10.0',
        'postgres 18.4',
        'etcd 3.7.3',
        'a program in Go',
      ],
      ...['write, 64 clients, 1 KiB', 'write, 64 clients, 1 KiB, 2200 requests/s'],
      // Medians with the least and the most; the ratio within each round.
      ...['4,400 (4,000-5,000)', '6,000 (5,500-6,600)', '1.5 (1.1-1.5)x', '0.75x'],
      ...['7.25', '21.8', '50.8', 'shard 80, postgres 51, gateway 31', '4 / 0', 'shard 41.5'],
      // Memory: 600 MiB for two million keys.
      ...['2,000,000', '300', '50,000'],
    ])
      expect(page).toContain(text);
  });

  it('draws bars for each target', () => {
    expect(page.match(/<svg /g)?.length).toBe(5);
    expect(page).toContain('<title>ringleader: 6,000, 5,500 to 6,600</title>');
    expect(page).toContain('<title>ringleader: postgres 51 us</title>');
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('needs nothing else, and takes no text for markup', () => {
    expect(page).not.toMatch(/<script|<link|src=|href=|url\(|@import/);
    expect(page).toContain('2 x &lt;Processor&gt; &amp; &quot;more&quot;');
    expect(page).toContain('zookeeper was left out: &lt;nothing&gt; there.');
  });

  it('stands where nothing succeeded', () => {
    const nothing = { ...round(0, 0, {}), percentiles: percentiles(Number.NaN) };
    const empty = pageOf({ ...results, series: [{ ...series[0]!, rounds: [nothing] }] });
    expect(empty).toContain('write, 64 clients, 1 KiB');
    expect(empty).not.toMatch(/(width|x|d)="[^"]*(NaN|Infinity)/);
  });
});

describe('the table', () => {
  it('has the same numbers, the targets of a measurement side by side', () => {
    const lines = tableOf(results)
      .split('\n')
      .filter((line) => line.startsWith('| write'));
    expect(lines.map((line) => line.split(' | ').slice(0, 3).join(' | '))).toEqual([
      '| write, 64 clients, 1 KiB | etcd | 4,400 (4,000-5,000)',
      '| write, 64 clients, 1 KiB | ringleader | 6,000 (5,500-6,600)',
      '| write, 64 clients, 1 KiB, 2200 requests/s | ringleader | 2,200 (2,199-2,200)',
    ]);
  });
});
