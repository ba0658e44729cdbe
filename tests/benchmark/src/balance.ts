/**
 * What a shard that stands still now and then costs stale reads, by the strategy that spreads them. Reads are sent at a steady
 * rate, whatever becomes of those before them: a client that waited for its answer would send fewest when it is slowest.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { BalancerStrategy } from '@ringleader/balancer';
import { sendSignal } from '@ringleader/server-processes';
import { RestClient } from '@ringleader/testing-workload';
import { percentile } from './harness/statistics.js';
import type { RunningCluster } from './running-cluster.js';

export interface BalanceOptions {
  readonly strategies: readonly BalancerStrategy[];
  readonly rounds: number;
  readonly roundMs: number;
  readonly readsPerSecond: number;
  /** How long the shard stands in each second. */
  readonly pauseMs: number;
  /** Leaves the cluster as it was, then. */
  readonly ended: AbortSignal;
}

const KEYS = 512;
const CONNECTIONS = 256;
const TICK_MS = 10;
const SECOND_MS = 1_000;

interface Measured {
  readonly latenciesMs: number[];
  failures: number;
  paused: number;
}

export async function balanceReport(cluster: RunningCluster, options: BalanceOptions): Promise<string> {
  const { ended } = options;
  const [url = ''] = cluster.gatewayUrls;
  const client = new RestClient(url, CONNECTIONS);
  const victim = (await cluster.processes()).filter(({ service }) => service === 'shard').at(-1);
  if (victim === undefined) throw new Error('The cluster has no shard');
  const before = await strategyOf(client);
  const results = new Map<BalancerStrategy, Measured>();
  for (const strategy of options.strategies) {
    results.set(strategy, { latenciesMs: [], failures: 0, paused: 0 });
  }
  try {
    for (let i = 0; i < KEYS; i += 1) await client.put(key(i), `value ${i}`);
    for (let round = 0; round < options.rounds; round += 1) {
      for (const [strategy, measured] of results) {
        ended.throwIfAborted();
        await use(client, strategy);
        const read = (): Promise<void> => readSteadily(client, victim.member, options, measured);
        await pausing(victim.pid, options, read);
      }
    }
    ended.throwIfAborted();
  } finally {
    await use(client, before).finally(() => client.close());
  }
  return table(results, victim.member);
}

const key = (i: number): string => `balance/${i % KEYS}`;

interface SettingsDocument {
  readonly balancer?: { readonly strategy?: BalancerStrategy | null };
}

/** That the cluster has been told, or null. */
async function strategyOf(client: RestClient): Promise<BalancerStrategy | null> {
  const { status, body } = await client.request('GET', '/v1/cluster/settings');
  if (status !== 200) throw new Error(`The settings cannot be read: ${status}`);
  return (JSON.parse(body.toString()) as SettingsDocument).balancer?.strategy ?? null;
}

async function use(client: RestClient, strategy: BalancerStrategy | null): Promise<void> {
  const { status, code } = await client.request('PATCH', '/v1/cluster/settings', { balancer: { strategy } });
  if (status !== 200) throw new Error(`The strategy cannot be set: ${status} ${code}`);
  // Until all gateways have heard of it.
  await delay(SECOND_MS);
}

/** Stops the process for a part of each second for as long as the run takes. */
async function pausing(pid: number, { pauseMs }: BalanceOptions, run: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => {
    sendSignal(pid, 'SIGSTOP');
    setTimeout(() => sendSignal(pid, 'SIGCONT'), pauseMs);
  }, SECOND_MS);
  try {
    await run();
  } finally {
    clearInterval(timer);
    await delay(pauseMs);
    sendSignal(pid, 'SIGCONT');
  }
}

async function readSteadily(
  client: RestClient,
  victim: string,
  { roundMs, readsPerSecond, ended }: BalanceOptions,
  measured: Measured,
): Promise<void> {
  const startedAt = performance.now();
  const reads: Promise<void>[] = [];
  const read = async (n: number): Promise<void> => {
    // From when it was due.
    const dueAt = startedAt + (n / readsPerSecond) * SECOND_MS;
    const { status, headers } = await client.get(key(Math.imul(n, 7_919) >>> 0), { consistency: 'stale' });
    if (status === 200) measured.latenciesMs.push(performance.now() - dueAt);
    else measured.failures += 1;
    if (headers['ringleader-served-by'] === victim) measured.paused += 1;
  };
  for (let n = 0; performance.now() - startedAt < roundMs && !ended.aborted;) {
    const due = ((performance.now() - startedAt) / SECOND_MS) * readsPerSecond;
    for (; n < due; n += 1) reads.push(read(n));
    await delay(TICK_MS);
  }
  await Promise.all(reads);
}

function table(results: ReadonlyMap<BalancerStrategy, Measured>, victim: string): string {
  const rows = [...results].map(([strategy, { latenciesMs, failures, paused }]) => {
    const sorted = [...latenciesMs].sort((a, b) => a - b);
    const times = [0.5, 0.9, 0.99, 0.999].map((p) => percentile(sorted, p).toFixed(1));
    const share = ((100 * paused) / sorted.length).toFixed(1);
    return `| ${[strategy, sorted.length, failures, ...times, `${share} %`].join(' | ')} |`;
  });
  return [
    `| strategy | reads | failed | p50 ms | p90 | p99 | p99.9 | by ${victim} |`,
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
