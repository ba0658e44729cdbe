/** What was measured, as tables in Markdown for a terminal. */
import { cellName, sizeName, summarize, type Results, type Summary } from './results.js';
import type { Spread } from './statistics.js';
import type { ByKind } from './targets/target.js';

export const digits = (value: number): string => {
  if (!Number.isFinite(value)) return '-';
  const decimals = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: decimals });
};

const spread = ({ median, min, max }: Spread): string =>
  min === max ? digits(median) : `${digits(median)} (${digits(min)}-${digits(max)})`;

const ratio = (value: Spread | null): string => (value === null ? '' : `${spread(value)}x`);

export const byKind = (values: ByKind): string =>
  Object.entries(values)
    .filter(([, value]) => value >= 0.05)
    .toSorted(([, a], [, b]) => b - a)
    .map(([kind, value]) => `${kind} ${digits(value)}`)
    .join(', ');

export const HEAD = (reference: string): readonly string[] => [
  'measurement',
  'target',
  'operations/s (min-max)',
  'p50 ms',
  'p99 ms (min-max)',
  'p999 ms',
  `rate to ${reference}`,
  'CPU us/op',
  `CPU to ${reference}`,
  'of it',
  'load, CPU us/op',
  'failed / unsent',
];

export function rowOf(summary: Summary): string[] {
  const { series, rate, p50, p99, p999, rateRatio, cpu, cpuRatio, cpuByKind, loadCpu, failures, unsent } =
    summary;
  return [
    cellName(series),
    series.target,
    spread(rate),
    digits(p50.median),
    spread(p99),
    digits(p999.median),
    ratio(rateRatio),
    digits(cpu.median),
    ratio(cpuRatio),
    byKind(cpuByKind),
    digits(loadCpu.median),
    failures + unsent === 0 ? '' : `${failures} / ${unsent}`,
  ];
}

const MIB = 2 ** 20;

export const MEMORY_HEAD = [
  'target',
  'keys',
  'value',
  'MiB before',
  'MiB after',
  'MiB per million keys',
  'of it after',
  'keys/s',
];

export function memoryRows({ memory }: Results): string[][] {
  const sum = (values: ByKind): number => Object.values(values).reduce((all, value) => all + value, 0) / MIB;
  return memory.map(({ target, keys, valueBytes, before, after, fillSeconds }) => [
    target,
    digits(keys),
    sizeName(valueBytes),
    digits(sum(before)),
    digits(sum(after)),
    digits(((sum(after) - sum(before)) * 1e6) / keys),
    byKind(Object.fromEntries(Object.entries(after).map(([kind, bytes]) => [kind, bytes / MIB]))),
    digits(keys / fillSeconds),
  ]);
}

export const idleRows = ({ idle }: Results): string[][] =>
  idle.map(({ target, cpuMsPerSecond }) => [target, byKind(cpuMsPerSecond)]);

/** Series of one cell side by side. */
export function ordered(results: Results): Summary[] {
  const names = [...new Set(results.series.map(cellName))];
  const place = ({ series }: Summary): number => names.indexOf(cellName(series));
  const who = ({ series }: Summary): number =>
    results.targets.findIndex(({ name }) => name === series.target);
  return summarize(results).toSorted((a, b) => place(a) - place(b) || who(a) - who(b));
}

const markdown = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

export function tableOf(results: Results): string {
  const { targets, notes, load, commit, memory } = results;
  const parts = [
    `Commit ${commit}. ${Object.values(results.machine).join(', ')}. The load: ${load}.`,
    targets.map(({ name, version, description }) => `- ${name} ${version}: ${description}`).join('\n'),
    markdown(HEAD(results.reference), ordered(results).map(rowOf)),
    markdown(['target', 'CPU ms a second without requests'], idleRows(results)),
  ];
  if (memory.length > 0) parts.push(markdown(MEMORY_HEAD, memoryRows(results)));
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'));
  return `${parts.join('\n\n')}\n`;
}
