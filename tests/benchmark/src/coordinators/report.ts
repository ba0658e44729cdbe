/**
 * Puts, linearizable reads and the delivery to watchers, of the coordinators and of an etcd in the same run, one after the
 * other in each workload, so that what disturbs the machine disturbs both. The load is one Node process for both: what it
 * takes of the machine is shown, and counts in no server's CPU.
 */
import { runLoop } from '../harness/loop.js';
import { percentile } from '../harness/statistics.js';
import { usageOfTrees } from '../process-cpu.js';
import type { MeasuredStore } from './measured-store.js';

const VALUE = 'v'.repeat(100);
const KEYS = 10_000;
/** Before each workload. */
const WARM_UP_MS = 1_000;
const FILL_AT_ONCE = 64;
const WRITERS = 64;
const WATCHED = 'watched/';
const WATCHED_END = 'watched0';

export interface Row {
  readonly store: string;
  readonly workload: string;
  readonly clients: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all server processes, and of the one that is the load. */
  readonly serverMicroseconds: number;
  /** Of them the process that carries the messages. */
  readonly carrierMicroseconds: number;
  readonly clientMicroseconds: number;
}

export const WORKLOADS = ['put', 'read', 'watch'] as const;

export interface Extent {
  readonly workloads: readonly string[];
  readonly clients: readonly number[];
  readonly watchers: number;
  readonly durationMs: number;
  /** Before all. */
  readonly warmUpMs: number;
  readonly ended: AbortSignal;
}

export async function compare(stores: readonly MeasuredStore[], extent: Extent): Promise<Row[]> {
  const rows: Row[] = [];
  for (const store of stores) await warmUp(store, extent);
  const operations = [
    ['put', 'put', (store: MeasuredStore, key: string) => store.put(key, VALUE)],
    ['read', 'linearizable read', (store: MeasuredStore, key: string) => store.get(key)],
  ] as const;
  for (const [name, workload, operate] of operations) {
    if (!extent.workloads.includes(name)) continue;
    for (const clients of extent.clients) {
      for (const store of stores) {
        const request = (client: number, n: number): Promise<void> =>
          operate(store, keyOf(keyNumber(client, n)));
        const { durationMs, ended } = extent;
        rows.push(await measure({ store, workload, clients, request, durationMs, ended }));
      }
    }
  }
  if (!extent.workloads.includes('watch')) return rows;
  for (const store of stores) rows.push(await measureWatches(store, extent));
  for (const store of stores) rows.push(await measureOwnWatches(store, extent));
  return rows;
}

const keyOf = (n: number): string => `bench/${n % KEYS}`;

/** Every key that is read; then both kinds of requests, until programs that are compiled while they run have been. */
async function warmUp(store: MeasuredStore, { clients, warmUpMs, ended }: Extent): Promise<void> {
  for (let from = 0; from < KEYS; from += FILL_AT_ONCE) {
    ended.throwIfAborted();
    await Promise.all(Array.from({ length: FILL_AT_ONCE }, (_, i) => store.put(keyOf(from + i), VALUE)));
  }
  const request = (client: number, n: number): Promise<void> => {
    const key = keyOf(keyNumber(client, n));
    return n % 2 === 0 ? store.put(key, VALUE) : store.get(key);
  };
  await runLoop({ workers: Math.max(...clients), warmUpMs: 0, durationMs: warmUpMs, request, ended });
}

const keyNumber = (client: number, n: number): number => client * 7_919 + n * 31;

interface Measurement {
  readonly store: MeasuredStore;
  readonly workload: string;
  readonly clients: number;
  readonly request: (client: number, n: number) => Promise<void>;
  readonly durationMs: number;
  readonly ended: AbortSignal;
}

async function measure({ store, workload, clients, request, durationMs, ended }: Measurement): Promise<Row> {
  const cpu = new CpuOf(store);
  const { requests, seconds, percentiles, failures, failure } = await runLoop({
    workers: clients,
    warmUpMs: WARM_UP_MS,
    durationMs,
    request,
    onPhase: (phase) => cpu[phase](),
    ended,
  });
  if (failures > 0) throw new Error(`${store.name}, ${workload}: ${failures} requests failed: ${failure}`);
  return {
    store: store.name,
    workload,
    clients,
    perSecond: requests / seconds,
    p50Ms: percentiles['50'],
    p99Ms: percentiles['99'],
    ...cpu.per(requests),
  };
}

/** One writer, who puts again when every watcher has the last put. */
async function measureWatches(store: MeasuredStore, { watchers, durationMs, ended }: Extent): Promise<Row> {
  let latencies: number[] = [];
  let putAt = 0;
  let due = 0;
  let delivered = (): void => undefined;
  const take = (values: readonly string[]): void => {
    for (let i = 0; i < values.length; i += 1) latencies.push(performance.now() - putAt);
    due -= values.length;
    if (due === 0) delivered();
  };
  const range = { key: WATCHED, rangeEnd: WATCHED_END };
  await Promise.all(Array.from({ length: watchers }, () => store.watch(range, take)));
  const round = async (n: number): Promise<void> => {
    ended.throwIfAborted();
    const all = new Promise<void>((resolve) => (delivered = resolve));
    due = watchers;
    putAt = performance.now();
    await store.put(`${WATCHED}${n % KEYS}`, VALUE);
    await all;
  };
  const cpu = new CpuOf(store);
  let n = 0;
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end; n += 1) await round(n);
  latencies = [];
  cpu.begin();
  const startedAt = performance.now();
  for (; performance.now() < startedAt + durationMs; n += 1) await round(n);
  const seconds = (performance.now() - startedAt) / 1_000;
  cpu.end();
  const { length } = latencies;
  latencies.sort((a, b) => a - b);
  return {
    store: store.name,
    workload: `delivery to ${watchers} watchers`,
    clients: 1,
    perSecond: length / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    ...cpu.per(length),
  };
}

interface Cpu {
  readonly serverMs: number;
  readonly carrierMs: number;
  readonly clientMs: number;
}

/** A watcher for each key, and writers who each go on when the watcher of their key has the put. */
async function measureOwnWatches(
  store: MeasuredStore,
  { watchers, durationMs, ended }: Extent,
): Promise<Row> {
  const heard = Array.from({ length: watchers }, () => (): void => undefined);
  const key = (i: number): string => `own/${i}`;
  await Promise.all(heard.map((_, i) => store.watch({ key: key(i) }, () => heard[i]?.())));
  // No two of them write the same key.
  const writers = Math.min(WRITERS, watchers);
  const request = async (writer: number, n: number): Promise<void> => {
    const i = (writer + n * writers) % (watchers - (watchers % writers));
    const delivered = new Promise<void>((resolve) => (heard[i] = resolve));
    await Promise.all([store.put(key(i), VALUE), delivered]);
  };
  const workload = `put, and its delivery to one of ${watchers} watchers`;
  return measure({ store, workload, clients: writers, request, durationMs, ended });
}

class CpuOf {
  private before: Cpu;
  private spent: Cpu;

  constructor(private readonly store: MeasuredStore) {
    this.before = this.spent = this.now();
  }

  begin(): void {
    this.before = this.now();
  }

  end(): void {
    const { serverMs, carrierMs, clientMs } = this.now();
    this.spent = {
      serverMs: serverMs - this.before.serverMs,
      carrierMs: carrierMs - this.before.carrierMs,
      clientMs: clientMs - this.before.clientMs,
    };
  }

  per(operations: number): Pick<Row, 'serverMicroseconds' | 'carrierMicroseconds' | 'clientMicroseconds'> {
    const microseconds = (ms: number): number => (ms * 1_000) / Math.max(1, operations);
    const { serverMs, carrierMs, clientMs } = this.spent;
    return {
      serverMicroseconds: microseconds(serverMs),
      carrierMicroseconds: microseconds(carrierMs),
      clientMicroseconds: microseconds(clientMs),
    };
  }

  private now(): Cpu {
    const { pids, carrierPid } = this.store;
    const sum = (roots: readonly number[]): number =>
      usageOfTrees(roots).reduce((total, { cpuMs }) => total + cpuMs, 0);
    const { user, system } = process.cpuUsage();
    return {
      serverMs: sum(pids),
      carrierMs: carrierPid === null ? 0 : sum([carrierPid]),
      clientMs: (user + system) / 1_000,
    };
  }
}

const digits = (value: number, count = 0): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: count });

/** In Markdown; ours with the ratios to the peer's in the row before. */
export function tableOf(rows: readonly Row[]): string {
  const head = [
    'store',
    'workload',
    'clients',
    'per second',
    'p50 / p99 ms',
    'servers, CPU us',
    'of it nats-server',
    'load, CPU us',
    'vs etcd: rate, CPU',
  ];
  const lines = rows.map((row) => {
    const peer = rows.find(
      ({ store, workload, clients }) =>
        store !== row.store && workload === row.workload && clients === row.clients,
    );
    const ratio =
      peer === undefined || row.store === 'etcd'
        ? ''
        : `${digits(row.perSecond / peer.perSecond, 2)}x, ${digits(row.serverMicroseconds / peer.serverMicroseconds, 2)}x`;
    return [
      row.store,
      row.workload,
      digits(row.clients),
      digits(row.perSecond),
      `${digits(row.p50Ms, 1)} / ${digits(row.p99Ms, 1)}`,
      digits(row.serverMicroseconds, 1),
      row.carrierMicroseconds === 0 ? '' : digits(row.carrierMicroseconds, 1),
      digits(row.clientMicroseconds, 1),
      ratio,
    ];
  });
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
