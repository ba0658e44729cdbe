/** All that a run has measured: what is written as JSON, and what the table and the page are made of. */
import type { LoopResult } from './loop.js';
import type { Settings, Workload } from './settings.js';
import { ratioOf, spreadOf, type Spread } from './statistics.js';
import type { ByKind } from './targets/target.js';

/** One measurement, but for who is measured. */
export interface Cell {
  readonly workload: Workload;
  readonly clients: number;
  readonly valueBytes: number;
  /** Of an open loop; null: a closed loop. */
  readonly perSecond: number | null;
}

export interface Round extends LoopResult {
  readonly round: number;
  /** Keys, or values at watchers, a second. */
  readonly operationsPerSecond: number;
  /** For each operation, by kind of process. */
  readonly cpuMicroseconds: ByKind;
  readonly loadCpuMicroseconds: number;
}

export interface Series extends Cell {
  readonly target: string;
  readonly rounds: readonly Round[];
}

export interface Memory {
  readonly target: string;
  readonly keys: number;
  readonly valueBytes: number;
  readonly before: ByKind;
  readonly after: ByKind;
  readonly fillSeconds: number;
}

export interface Idle {
  readonly target: string;
  /** CPU milliseconds a second, by kind of process, without any request. */
  readonly cpuMsPerSecond: ByKind;
}

export interface Results {
  readonly format: 1;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly commit: string;
  readonly machine: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly load: string;
  readonly settings: Settings;
  readonly targets: readonly {
    readonly name: string;
    readonly version: string;
    readonly description: string;
  }[];
  /** To whom ratios are. */
  readonly reference: string;
  readonly series: readonly Series[];
  readonly idle: readonly Idle[];
  readonly memory: readonly Memory[];
  /** What a reader has to know: what was left out, and why; failures. */
  readonly notes: readonly string[];
}

export const cellName = ({ workload, clients, valueBytes, perSecond }: Cell): string =>
  `${workload}, ${clients} ${clients === 1 ? 'client' : 'clients'}, ${sizeName(valueBytes)}${perSecond === null ? '' : `, ${Math.round(perSecond)} requests/s`}`;

export const sizeName = (bytes: number): string =>
  bytes >= 1_024 && bytes % 1_024 === 0 ? `${bytes / 1_024} KiB` : `${bytes} B`;

export const isSameCell = (a: Cell, b: Cell): boolean =>
  a.workload === b.workload &&
  a.clients === b.clients &&
  a.valueBytes === b.valueBytes &&
  a.perSecond === b.perSecond;

/** What a table and a plot show of a series. */
export interface Summary {
  readonly series: Series;
  readonly rate: Spread;
  readonly p50: Spread;
  readonly p99: Spread;
  readonly p999: Spread;
  readonly cpu: Spread;
  /** The medians, by kind of process. */
  readonly cpuByKind: ByKind;
  readonly loadCpu: Spread;
  readonly failures: number;
  readonly unsent: number;
  /** To the reference, where it was measured too and is another target. */
  readonly rateRatio: Spread | null;
  readonly cpuRatio: Spread | null;
}

const cpuOf = ({ cpuMicroseconds }: Round): number =>
  Object.values(cpuMicroseconds).reduce((sum, value) => sum + value, 0);

export function summarize(results: Results): Summary[] {
  return results.series.map((series) => {
    const { rounds, target } = series;
    const reference =
      target === results.reference
        ? undefined
        : results.series.find((other) => other.target === results.reference && isSameCell(other, series));
    const of = (value: (round: Round) => number): Spread => spreadOf(rounds.map(value));
    const to = (value: (round: Round) => number): Spread | null =>
      reference === undefined ? null : ratioOf(...pairs(rounds, reference.rounds, value));
    const kinds = [...new Set(rounds.flatMap(({ cpuMicroseconds }) => Object.keys(cpuMicroseconds)))];
    return {
      series,
      rate: of(({ operationsPerSecond }) => operationsPerSecond),
      p50: of(({ percentiles }) => percentiles['50']),
      p99: of(({ percentiles }) => percentiles['99']),
      p999: of(({ percentiles }) => percentiles['99.9']),
      cpu: of(cpuOf),
      cpuByKind: Object.fromEntries(
        kinds.map((kind) => [kind, of(({ cpuMicroseconds }) => cpuMicroseconds[kind] ?? 0).median]),
      ),
      loadCpu: of(({ loadCpuMicroseconds }) => loadCpuMicroseconds),
      failures: rounds.reduce((sum, { failures }) => sum + failures, 0),
      unsent: rounds.reduce((sum, { unsent }) => sum + unsent, 0),
      rateRatio: to(({ operationsPerSecond }) => operationsPerSecond),
      cpuRatio: to(cpuOf),
    };
  });
}

/** Of the rounds that both have: one may be missing. */
function pairs(
  own: readonly Round[],
  others: readonly Round[],
  value: (round: Round) => number,
): [number[], number[]] {
  const theirs = new Map(others.map((other) => [other.round, other]));
  const both = own.flatMap((round) => {
    const other = theirs.get(round.round);
    return other === undefined ? [] : [[value(round), value(other)] as const];
  });
  return [both.map(([mine]) => mine), both.map(([, other]) => other)];
}
