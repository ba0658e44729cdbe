/** What a run looked like, second by second, and as a picture. */
import { percentile } from '../harness/statistics.js';
import type { Sample } from './paced-load.js';

export interface Second {
  readonly atS: number;
  readonly perSecond: number;
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Marker {
  readonly atS: number;
  readonly text: string;
}

export interface ShardReplicas {
  readonly atS: number;
  readonly replicas: ReadonlyMap<string, number>;
}

export function bySecond(samples: readonly Sample[]): Second[] {
  const seconds = new Map<number, Sample[]>();
  for (const sample of samples) {
    const second = Math.floor(sample.atS);
    const list = seconds.get(second);
    if (list === undefined) seconds.set(second, [sample]);
    else list.push(sample);
  }
  return [...seconds].sort(([a], [b]) => a - b).map(([atS, list]) => ({ atS, ...summary(list) }));
}

export function summary(list: readonly Sample[]): Omit<Second, 'atS'> {
  const latencies = list
    .filter(({ failure }) => failure === '')
    .map(({ latencyMs }) => latencyMs)
    .sort((a, b) => a - b);
  return {
    perSecond: latencies.length,
    failures: list.length - latencies.length,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}

const WIDTH = 960;
const PANEL = 150;
const GAP = 34;
const LEFT = 64;
const TOP = 24;
const COLORS = ['#0b5fa5', '#c2571a', '#3c7a3c', '#7a3c74', '#8a6d00', '#40606a', '#a33', '#555'];

interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly isLogarithmic?: boolean;
}

/** Three panels over one axis of time: latency, failures, replicas by shard; with what was done marked. */
export function drawTimeline(
  seconds: readonly Second[],
  shards: readonly ShardReplicas[],
  markers: readonly Marker[],
): string {
  const names = [...new Set(shards.flatMap(({ replicas }) => [...replicas.keys()]))].sort();
  const panels: Panel[] = [
    {
      title: 'latency, ms (logarithmic)',
      isLogarithmic: true,
      lines: [
        { name: 'p50', points: seconds.map(({ atS, p50Ms }) => [atS, p50Ms] as const) },
        { name: 'p99', points: seconds.map(({ atS, p99Ms }) => [atS, p99Ms] as const) },
      ],
    },
    {
      title: 'requests that failed, per second',
      lines: [{ name: 'failed', points: seconds.map(({ atS, failures }) => [atS, failures] as const) }],
    },
    {
      title: 'replicas of partitions by shard',
      lines: names.map((name) => ({
        name,
        points: shards.map(({ atS, replicas }) => [atS, replicas.get(name) ?? 0] as const),
      })),
    },
  ];
  const endS = Math.max(1, ...seconds.map(({ atS }) => atS + 1));
  const height = TOP + panels.length * (PANEL + GAP) + 120;
  const bottom = TOP + panels.length * (PANEL + GAP) - GAP;
  const x = (atS: number): number => LEFT + (atS / endS) * (WIDTH - LEFT - 150);
  const body = panels.map((panel, index) => drawPanel(panel, TOP + index * (PANEL + GAP), x));
  const marks = markers.map(({ atS, text }, index) => {
    const at = x(atS).toFixed(1);
    const label = bottom + 30 + (index % 6) * 13;
    return (
      `<line x1="${at}" y1="${TOP}" x2="${at}" y2="${label - 9}" stroke="#999" stroke-dasharray="2 3"/>` +
      `<text x="${at}" y="${label}" font-size="11">${escape(`${atS.toFixed(0)} s: ${text}`)}</text>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12" role="img">`,
    '<title>Latency, failures and replicas while shards come and go</title>',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...marks,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel(
  { title, lines, isLogarithmic = false }: Panel,
  top: number,
  x: (atS: number) => number,
): string {
  const scaled = (value: number): number => (isLogarithmic ? Math.log10(Math.max(value, 0.1)) : value);
  const values = lines.flatMap(({ points }) => points.map(([, y]) => y)).filter(Number.isFinite);
  const most = Math.max(1, ...values);
  const low = isLogarithmic ? scaled(0.1) : 0;
  const y = (value: number): number =>
    top + PANEL - ((scaled(value) - low) / (scaled(most) - low || 1)) * PANEL;
  const ticks = isLogarithmic ? [0.1, 1, 10, 100, 1_000, 10_000].filter((t) => t <= most) : [0, most];
  const grid = ticks.map(
    (tick) =>
      `<line x1="${LEFT}" y1="${y(tick).toFixed(1)}" x2="${WIDTH - 150}" y2="${y(tick).toFixed(1)}" stroke="#ddd"/>` +
      `<text x="${LEFT - 6}" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end">${tick}</text>`,
  );
  const drawn = lines.map(({ name, points }, index) => {
    const color = COLORS[index % COLORS.length] ?? '#000';
    const path = points
      .filter(([, value]) => Number.isFinite(value))
      .map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`)
      .join(' ');
    return (
      `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.4"/>` +
      `<text x="${WIDTH - 142}" y="${top + 14 + index * 15}" fill="${color}">${escape(name)}</text>`
    );
  });
  return [`<text x="${LEFT}" y="${top - 6}" font-weight="bold">${title}</text>`, ...grid, ...drawn].join(
    '\n',
  );
}

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
