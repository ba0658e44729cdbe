/**
 * The measured workloads: durable writes and linearizable reads of 100-byte values at several numbers of connections, and
 * writes in batches of 50.
 */
import { runClosedLoop } from './closed-loop.js';
import type { LoopResult } from './closed-loop.js';
import type { ProcessUsage } from './process-cpu.js';
import type { Target } from './targets.js';

export interface Workload {
  readonly name: string;
  readonly connections: number;
  /** Keys per request. */
  readonly operationsPerRequest: number;
  readonly request: (target: Target, connection: number, n: number) => Promise<boolean>;
}

export interface WorkloadResult extends LoopResult {
  readonly target: string;
  readonly workload: string;
  readonly connections: number;
  readonly operationsPerSecond: number;
  /** Over all processes of the target. */
  readonly cpuMicrosecondsPerOperation: number;
}

const VALUE = 'v'.repeat(100);
const KEYS = 20_000;
const BATCH = 50;

const keyOf = (n: number): string => `bench/${n % KEYS}`;
/** Spreads connections over the keys, so that they do not write the same one. */
const spread = (connection: number, n: number): number => connection * 7_919 + n * 31;

export function workloads(connectionCounts: readonly number[]): Workload[] {
  const put = (target: Target, connection: number, n: number): Promise<boolean> =>
    target.put(keyOf(spread(connection, n)), VALUE);
  const get = (target: Target, connection: number, n: number): Promise<boolean> =>
    target.get(keyOf(spread(connection, n)));
  const batch = (target: Target, connection: number, n: number): Promise<boolean> =>
    target.putBatch(
      Array.from({ length: BATCH }, (_, i) => keyOf(spread(connection, n) + i)),
      VALUE,
    );
  return [
    ...connectionCounts.map((connections) => ({
      name: 'put',
      connections,
      operationsPerRequest: 1,
      request: put,
    })),
    ...connectionCounts.map((connections) => ({
      name: 'get',
      connections,
      operationsPerRequest: 1,
      request: get,
    })),
    ...connectionCounts.map((connections) => ({
      name: `batch of ${BATCH} puts`,
      connections,
      operationsPerRequest: BATCH,
      request: batch,
    })),
  ];
}

export interface Durations {
  readonly warmUpMs: number;
  readonly durationMs: number;
}

export async function measure(
  target: Target,
  workload: Workload,
  durations: Durations,
  usage: () => readonly ProcessUsage[],
): Promise<WorkloadResult> {
  const cpuMs = (): number => usage().reduce((sum, { cpuMs: own }) => sum + own, 0);
  let beginMs = 0;
  let endMs = 0;
  const result = await runClosedLoop({
    connections: workload.connections,
    ...durations,
    request: (connection, n) => workload.request(target, connection, n),
    onMeasuring: (phase) => {
      if (phase === 'begin') beginMs = cpuMs();
      else endMs = cpuMs();
    },
  });
  const operations = result.requests * workload.operationsPerRequest;
  return {
    ...result,
    target: target.name,
    workload: workload.name,
    connections: workload.connections,
    operationsPerSecond: operations / result.seconds,
    cpuMicrosecondsPerOperation: ((endMs - beginMs) * 1_000) / Math.max(1, operations),
  };
}

/** Every key the reads will ask for. */
export async function fill(target: Target): Promise<void> {
  for (let from = 0; from < KEYS; from += BATCH) {
    const keys = Array.from({ length: BATCH }, (_, i) => keyOf(from + i));
    if (!(await target.putBatch(keys, VALUE))) throw new Error(`${target.name} refused the data to read`);
  }
}
