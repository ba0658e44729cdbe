/**
 * How long after `kill -9` of a shard the partitions that it led take writes again: for each of many keys that it led, the
 * time from the kill to the first write that was invoked after it and acknowledged.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { RestClient } from '@ringleader/testing-workload';
import { percentile } from './harness/statistics.js';
import type { RunningCluster } from './running-cluster.js';

export interface FailoverTrial {
  readonly victim: string;
  /** When the process that was killed had started, as it is registered. */
  readonly startedAt: string;
  /** Sorted; one for each key that the victim led. */
  readonly recoveryMs: readonly number[];
}

const PROBED_KEYS = 240;
const PROBES_AT_ONCE = 48;
const ATTEMPT_TIMEOUT_MS = 400;
const GIVE_UP_AFTER_MS = 20_000;

export async function failoverTrial(
  cluster: RunningCluster,
  url: string,
  victim: string,
): Promise<FailoverTrial> {
  const client = new RestClient(url, PROBES_AT_ONCE);
  try {
    const keys = await keysServedBy(client, victim);
    const { members } = await readCluster(url);
    const startedAt = members.find(({ id }) => id === victim)?.startedAt ?? '';
    const process = (await cluster.processes()).find(({ member }) => member === victim);
    if (process === undefined) throw new Error(`${victim} does not run`);
    globalThis.process.kill(process.pid, 'SIGKILL');
    const killedAtMs = performance.now();
    const recoveryMs = await Promise.all(keys.map((key) => firstWriteAfter(client, key, killedAtMs)));
    return { victim, startedAt, recoveryMs: recoveryMs.sort((a, b) => a - b) };
  } finally {
    await client.close();
  }
}

interface ClusterDocument {
  readonly health: string;
  readonly members: readonly { readonly id: string; readonly startedAt: string }[];
}

export async function readCluster(url: string): Promise<ClusterDocument> {
  const answer = await fetch(`${url}/v1/cluster`);
  if (!answer.ok) throw new Error(`/v1/cluster answers ${answer.status}`);
  return (await answer.json()) as ClusterDocument;
}

/** The victim leads about a third of all partitions; few keys per partition are enough. */
async function keysServedBy(client: RestClient, victim: string): Promise<string[]> {
  const keys = Array.from({ length: PROBED_KEYS }, (_, i) => `failover/${i}`);
  const served: string[] = [];
  for (const key of keys) {
    const written = await client.put(key, 'before');
    const read = await client.get(key);
    if (written.status >= 300 || read.status !== 200)
      throw new Error(`the cluster does not serve ${key}: ${written.code}`);
    if (read.headers['ringleader-served-by'] === victim) served.push(key);
  }
  if (served.length === 0) throw new Error(`${victim} leads none of ${PROBED_KEYS} keys`);
  return served.slice(0, PROBES_AT_ONCE);
}

async function firstWriteAfter(client: RestClient, key: string, killedAtMs: number): Promise<number> {
  for (let attempt = 0; performance.now() - killedAtMs < GIVE_UP_AFTER_MS; attempt += 1) {
    const answer = await client.put(key, `after ${attempt}`, { timeoutMs: ATTEMPT_TIMEOUT_MS });
    if (answer.status === 200 || answer.status === 201) return performance.now() - killedAtMs;
    await delay(5);
  }
  throw new Error(`${key} takes no write ${GIVE_UP_AFTER_MS} ms after the kill`);
}

export function failoverReport(trials: readonly FailoverTrial[]): string {
  const firsts = trials.map(({ recoveryMs }) => recoveryMs[0] ?? Number.NaN).sort((a, b) => a - b);
  const lasts = trials.map(({ recoveryMs }) => recoveryMs.at(-1) ?? Number.NaN).sort((a, b) => a - b);
  const all = trials.flatMap(({ recoveryMs }) => recoveryMs).sort((a, b) => a - b);
  const line = (name: string, sorted: readonly number[]): string =>
    `| ${[name, ...[0, 0.5, 0.9, 0.99, 1].map((p) => percentile(sorted, p).toFixed(0))].join(' | ')} |`;
  return [
    `${trials.length} trials, ${all.length} partitions' keys, milliseconds from kill -9 to the next acknowledged write`,
    '',
    '| | min | p50 | p90 | p99 | max |',
    '| --- | --- | --- | --- | --- | --- |',
    line('first partition of a trial', firsts),
    line('every partition', all),
    line('last partition of a trial', lasts),
  ].join('\n');
}
