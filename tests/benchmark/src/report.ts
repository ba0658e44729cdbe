import type { WorkloadResult } from './workloads.js';

const number = (value: number, digits = 0): string =>
  Number.isFinite(value) ? value.toLocaleString('en-US', { maximumFractionDigits: digits }) : '-';

/** A table in Markdown, one row per target and workload; with a peer in the same run, the ratio to it. */
export function table(results: readonly WorkloadResult[]): string {
  const peers = new Map(
    results.filter(({ target }) => target !== 'ringleader').map((result) => [keyOf(result), result]),
  );
  const rows = results.map((result) => {
    const peer = result.target === 'ringleader' ? peers.get(keyOf(result)) : undefined;
    const ratio =
      peer === undefined ? '' : `${number(result.operationsPerSecond / peer.operationsPerSecond, 2)}x`;
    return [
      result.target,
      result.workload,
      number(result.connections),
      number(result.operationsPerSecond),
      `${number(result.p50Ms, 1)} / ${number(result.p99Ms, 1)}`,
      number(result.cpuMicrosecondsPerOperation),
      number(result.failures),
      ratio,
    ];
  });
  const head = [
    'target',
    'workload',
    'connections',
    'operations/s',
    'p50 / p99 ms',
    'CPU us/op',
    'failures',
    'vs peer',
  ];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const keyOf = ({ workload, connections }: WorkloadResult): string => `${workload}/${connections}`;
