/**
 * Shards come and go under a constant load: from three to six and back to three, while a joining shard and the coordinators'
 * leader are killed. What clients noticed, what was moved, and whether all of it is still there.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startLocalCluster, type LocalClusterHandle } from '@ringleader/testing-local-cluster';
import { RestClient } from '@ringleader/testing-workload';
import { PacedLoad, type Sample } from './paced-load.js';
import { bySecond, drawTimeline, summary, type Marker, type ShardReplicas } from './timeline.js';

export interface ElasticOptions {
  readonly keys: number;
  readonly valueBytes: number;
  readonly perSecond: number;
  readonly shardsAdded: number;
  readonly quietSeconds: number;
  readonly seed: number;
  readonly note: (text: string) => void;
}

export interface ElasticFindings {
  readonly report: string;
  readonly svg: string;
  /** What must not be: one sentence each. */
  readonly faults: readonly string[];
}

interface ShardItem {
  readonly shard: string;
  readonly state: string;
  readonly replicas: number;
  readonly leaders: number;
}

const FILL_AT_ONCE = 16;
const FILL_BATCH = 100;
const READ_BATCH = 200;
const CONNECTIONS = 64;
const LOOK_EVERY_MS = 1_000;
const WRITES = 0.1;
const FILLER = 'v';

interface Phase {
  readonly name: string;
  readonly fromS: number;
  readonly toS: number;
  readonly bytesMoved: number;
}

/** Where a run stands, and what was seen of it. */
class ElasticRun {
  readonly markers: Marker[] = [];
  readonly shards: ShardReplicas[] = [];
  readonly phases: Phase[] = [];
  private readonly counted = new Map<string, number>();
  private bytesCopied = 0;
  readonly client: RestClient;
  readonly load: PacedLoad;

  constructor(
    readonly cluster: LocalClusterHandle,
    readonly url: string,
    readonly options: ElasticOptions,
  ) {
    const { keys, perSecond, seed, valueBytes } = options;
    this.client = new RestClient(url, CONNECTIONS);
    this.load = new PacedLoad({
      client: this.client,
      keyOf,
      keys,
      valueOf: (n, write) => valueOf(n, write, valueBytes),
      perSecond,
      writes: WRITES,
      seed,
    });
  }

  mark(text: string): void {
    this.markers.push({ atS: this.load.seconds, text });
    this.options.note(`${this.load.seconds.toFixed(1)} s: ${text}`);
  }

  async phase(name: string, work: () => Promise<void>): Promise<void> {
    const fromS = this.load.seconds;
    const bytesBefore = this.bytesCopied;
    await work();
    await this.count();
    const bytesMoved = this.bytesCopied - bytesBefore;
    this.phases.push({ name, fromS, toS: this.load.seconds, bytesMoved });
  }

  async look(): Promise<readonly ShardItem[]> {
    await this.count();
    const { items } = await this.get<{ items: readonly ShardItem[] }>('/v1/cluster/shards');
    const replicas = new Map(items.map(({ shard, replicas: held }) => [shard, held]));
    this.shards.push({ atS: this.load.seconds, replicas });
    return items;
  }

  async until(
    what: string,
    holds: (items: readonly ShardItem[]) => boolean | Promise<boolean>,
  ): Promise<void> {
    this.options.note(`waits until ${what}`);
    while (!(await holds(await this.look().catch(() => [])))) await this.wait();
  }

  async nothingMoves(): Promise<boolean> {
    const plan = await this.get<{ movesTotal: number; leaderChanges: number }>('/v1/cluster/plan');
    return plan.movesTotal === 0 && plan.leaderChanges === 0;
  }

  async get<T>(path: string): Promise<T> {
    const { status, code, body } = await this.client.request('GET', path);
    if (status !== 200) throw new Error(`${path} answers ${status} ${code}`);
    return JSON.parse(body.toString()) as T;
  }

  async command(method: 'POST' | 'DELETE', path: string): Promise<void> {
    for (;;) {
      const { status, code, body } = await this.client.request(method, path);
      if (status < 300) return;
      if (status < 500 && code !== 'SHARD_HOLDS_DATA') throw new Error(`${path}: ${body.toString()}`);
      await this.wait();
    }
  }

  /** Until it is worth another look, for as long as there is a load. */
  private async wait(): Promise<void> {
    this.load.check();
    await delay(LOOK_EVERY_MS);
  }

  /** As the coordinators count what copies took; whoever leads counts, from when it began to. */
  private async count(): Promise<void> {
    const { members } = await this.get<{ members: readonly MemberItem[] }>('/v1/cluster');
    for (const { service, id, address } of members) {
      if (service !== 'coordinator') continue;
      const text = await fetch(`http://${address}/metrics`).then(
        (answer) => answer.text(),
        () => '',
      );
      const counted = Number(COPIED.exec(text)?.[1] ?? 0);
      const before = this.counted.get(id) ?? 0;
      this.counted.set(id, counted);
      this.bytesCopied += counted >= before ? counted - before : counted;
    }
  }
}

interface MemberItem {
  readonly service: string;
  readonly id: string;
  readonly address: string;
}

const COPIED = /^ringleader_coordinator_placement_copied_bytes_total\S* (\S+)$/m;

const keyOf = (n: number): string => `elastic/${n}`;

function valueOf(n: number, write: number, bytes: number): string {
  const text = `${n}.${write}.`;
  return text + FILLER.repeat(Math.max(0, bytes - text.length));
}

export async function runElastic(options: ElasticOptions): Promise<ElasticFindings> {
  const cluster = await startLocalCluster({ shards: 3 });
  try {
    const [url = ''] = await cluster.gatewayUrls();
    const run = new ElasticRun(cluster, url, options);
    try {
      return await drive(run);
    } finally {
      await run.load.stop();
      await run.client.close();
    }
  } finally {
    await cluster.dispose();
  }
}

async function drive(run: ElasticRun): Promise<ElasticFindings> {
  const { options, cluster } = run;
  const filledIn = await fill(run);
  options.note(`${options.keys} keys of ${options.valueBytes} bytes in ${filledIn.toFixed(0)} s`);
  run.load.start();
  await run.phase('before', () => quiet(run));
  const added: string[] = [];
  // Apart, since here the machine that starts them is the one that serves users.
  await run.phase('starting 3', async () => {
    run.mark(`${options.shardsAdded} shards are started, and moves wait`);
    await run.command('POST', '/v1/cluster/moves:pause');
    for (let n = 0; n < options.shardsAdded; n += 1) added.push(await cluster.addShard());
    const isListed = (items: readonly ShardItem[]): boolean =>
      added.every((name) => items.some(({ shard }) => shard === name));
    await run.until('each of the new ones is known', isListed);
  });
  await run.phase('3 to 6', async () => {
    run.mark('moves begin');
    await run.command('POST', '/v1/cluster/moves:resume');
    const isThere = (items: readonly ShardItem[]): boolean =>
      added.every((name) => items.some(({ shard, replicas }) => shard === name && replicas > 0));
    await run.until('each of the new ones holds something', isThere);
    run.mark(`kill -9 of ${added[1]}, which is joining`);
    await cluster.signal(added[1] ?? '', 'SIGKILL');
    await delay(LOOK_EVERY_MS);
    const { coordinator } = await run.get<{ coordinator: { leader: string } }>('/v1/cluster');
    run.mark(`kill -9 of ${coordinator.leader}, which leads the coordinators`);
    await cluster.signal(coordinator.leader, 'SIGKILL');
    await run.until('nothing moves', () => run.nothingMoves());
    run.mark('all is where it belongs');
  });
  await run.phase('with 6', () => quiet(run));
  await run.phase('6 to 3', async () => {
    run.mark(`${added.join(', ')} are drained`);
    for (const name of added) await run.command('POST', `/v1/cluster/shards/${name}:drain`);
    const isDrained = (items: readonly ShardItem[]): boolean =>
      items.filter(({ shard }) => added.includes(shard)).every(({ state }) => state === 'drained');
    await run.until('they are drained', (items) => items.length > 0 && isDrained(items));
    for (const name of added) await run.command('DELETE', `/v1/cluster/shards/${name}`);
    run.mark('they are removed');
  });
  await run.phase('after', () => quiet(run));
  await run.load.stop();
  run.load.check();
  return { ...reportOf(run), faults: await faultsOf(run) };
}

const quiet = async (run: ElasticRun): Promise<void> => {
  const endS = run.load.seconds + run.options.quietSeconds;
  await run.until('some time has passed', () => run.load.seconds >= endS);
};

interface FillResult {
  readonly status: number;
  readonly code?: string;
}

async function fill({ client, options }: ElasticRun): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < options.keys) {
      const from = next;
      next += FILL_BATCH;
      let operations = Array.from({ length: Math.min(FILL_BATCH, options.keys - from) }, (_, i) => ({
        op: 'put' as const,
        key: keyOf(from + i),
        value: valueOf(from + i, 0, options.valueBytes),
      }));
      while (operations.length > 0) {
        const { status, body } = await client.batch(operations, 30_000);
        const { results } = JSON.parse(body.toString()) as { results?: readonly FillResult[] };
        const refused = results?.find((result) => result.status >= 300 && result.code !== 'OVERLOADED');
        if (status !== 200 || results === undefined || refused !== undefined) {
          const why = refused ?? body.toString().slice(0, 300);
          throw new Error(`the cluster refused data: ${JSON.stringify(why)}`);
        }
        // Nothing was done of what is too much at once.
        operations = operations.filter((_, i) => (results[i]?.status ?? 0) >= 300);
      }
    }
  };
  await Promise.all(Array.from({ length: FILL_AT_ONCE }, run));
  return (performance.now() - startedAt) / 1_000;
}

interface ReadResult {
  readonly status: number;
  readonly value?: string;
}

/** A refusal that ends by itself says nothing of what is there: it is asked again. */
async function readAll(
  client: RestClient,
  operations: readonly { readonly op: 'get'; readonly key: string }[],
): Promise<readonly ReadResult[]> {
  for (;;) {
    const { status, body } = await client.batch(operations, 30_000);
    const { results } = (status === 200 ? JSON.parse(body.toString()) : {}) as {
      results?: readonly ReadResult[];
    };
    if (results?.every((result) => result.status < 429) === true) return results;
    if (status !== 0 && status < 429 && status !== 200)
      throw new Error(`a batch of reads: ${body.toString()}`);
    await delay(LOOK_EVERY_MS);
  }
}

/** Reads every key. */
async function faultsOf({ client, options, load, phases }: ElasticRun): Promise<string[]> {
  const faults: string[] = [];
  for (const { failure, atS } of load.samples) {
    if (failure !== '' && failure !== 'UNAVAILABLE') faults.push(`${atS.toFixed(1)} s: ${failure}`);
  }
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < options.keys) {
      const from = next;
      next += READ_BATCH;
      const numbers = Array.from({ length: Math.min(READ_BATCH, options.keys - from) }, (_, i) => from + i);
      const operations = numbers.map((n) => ({ op: 'get' as const, key: keyOf(n) }));
      const results = await readAll(client, operations);
      numbers.forEach((n, i) => {
        const expected = load.expected.get(n) ?? { acknowledged: 0, unknown: [] };
        const allowed = [expected.acknowledged, ...expected.unknown];
        const value = results[i]?.value;
        if (!allowed.some((write) => value === valueOf(n, write, options.valueBytes)))
          faults.push(
            `${keyOf(n)} is ${String(value).slice(0, 40)}, not one of the writes ${allowed.join(', ')}`,
          );
      });
    }
  };
  await Promise.all(Array.from({ length: FILL_AT_ONCE }, run));
  const [before] = phases;
  if (before === undefined) faults.push('nothing was measured');
  return faults;
}

function reportOf({ load, phases, shards, markers, options }: ElasticRun): { report: string; svg: string } {
  const { samples } = load;
  const of = (phase: Phase): readonly Sample[] =>
    samples.filter(({ atS }) => atS >= phase.fromS && atS < phase.toS);
  const [before] = phases;
  const usual = before === undefined ? Number.NaN : summary(of(before)).p99Ms;
  const rows = phases.map((phase) => {
    const seconds = phase.toS - phase.fromS;
    const { perSecond, failures, p50Ms, p99Ms } = summary(of(phase));
    const minimum = MOVES[phase.name]?.(options.shardsAdded) ?? 0;
    const least = minimum * options.keys * (options.valueBytes + keyOf(options.keys).length);
    return [
      phase.name,
      seconds.toFixed(0),
      (perSecond / seconds).toFixed(0),
      String(failures),
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
      `${(p99Ms / usual).toFixed(2)}x`,
      `${(phase.bytesMoved / 1e6).toFixed(0)} MB`,
      least === 0 ? '' : `${(phase.bytesMoved / least).toFixed(2)}x`,
    ];
  });
  const head = [
    'phase',
    'seconds',
    'requests/s',
    'failed',
    'p50 ms',
    'p99 ms',
    'p99 vs before',
    'copied',
    'vs least',
  ];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return { report: lines.join('\n'), svg: drawTimeline(bySecond(samples), shards, markers) };
}

/** In copies of all data: each of `k` that come to three takes its share of three replicas, and gives it back when it goes. */
const MOVES: Readonly<Record<string, (k: number) => number>> = {
  '3 to 6': (k) => (3 * k) / (3 + k),
  '6 to 3': (k) => (3 * k) / (3 + k),
};
