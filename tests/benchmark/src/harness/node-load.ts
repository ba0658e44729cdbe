/** The load in this process, for machines without Go. It costs more than that in Go, and asks no ZooKeeper. */
import { Pool } from 'undici';
import { EtcdClient } from '../coordinators/etcd-grpc.js';
import { ownCpuMs, type Load, type LoadOrder } from './load.js';
import { runLoop, type LoopResult, type Phase } from './loop.js';
import { runWatchRounds } from './watch-rounds.js';

/** What a target is asked; a request that fails rejects. */
export interface Client {
  put(key: string, value: string): Promise<void>;
  get(key: string, valueBytes: number): Promise<void>;
  /** All keys in one request. */
  putBatch(keys: readonly string[], value: string): Promise<void>;
  watch?(key: string, heard: () => void): Promise<void>;
  rest(): Promise<void>;
  close(): Promise<void>;
}

const READS_IN_MIXED = 0.9;
const FILL_WORKERS = 16;
const FILL_BYTES_AT_ONCE = 524_288;

const checkLength = (actual: number | undefined, expected: number): void => {
  if (actual !== expected) throw new Error(`a value of ${actual} bytes in place of ${expected}`);
};

/** Each of the connections carries one request at a time. */
export function restClient(urls: readonly string[], connections: number): Client {
  const each = Math.ceil(connections / urls.length);
  const pools = urls.map((url) => new Pool(url, { connections: each, pipelining: 1 }));
  let turn = 0;
  const send = async (
    method: 'GET' | 'PUT' | 'POST',
    path: string,
    body: string | null,
    type: string,
  ): Promise<Buffer> => {
    const headers = { 'content-type': type };
    const answer = await pools[turn++ % pools.length]!.request({
      method,
      path: `/v1/kv${path}`,
      body,
      headers,
    });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    if (answer.statusCode >= 300) throw new Error(`HTTP ${answer.statusCode}: ${bytes.toString()}`);
    return bytes;
  };
  return {
    put: async (key, value) => void (await send('PUT', `/${key}`, value, 'text/plain')),
    get: async (key, valueBytes) =>
      checkLength((await send('GET', `/${key}`, null, 'text/plain')).length, valueBytes),
    putBatch: async (keys, value) => {
      const operations = keys.map((key) => ({ op: 'put', key, value }));
      const answer = await send('POST', ':batch', JSON.stringify({ operations }), 'application/json');
      const { results } = JSON.parse(answer.toString()) as { results: { status: number; code?: string }[] };
      const failed = results.find(({ status }) => status >= 300);
      if (failed !== undefined) throw new Error(`an operation of a batch failed: ${failed.code}`);
    },
    rest: () => Promise.resolve(),
    close: async () => void (await Promise.all(pools.map((pool) => pool.destroy()))),
  };
}

function etcdClient(endpoints: readonly string[]): Client {
  const client = new EtcdClient(endpoints.map((endpoint) => `http://${endpoint}`));
  return {
    put: (key, value) => client.put(key, value),
    get: async (key, valueBytes) => checkLength((await client.get(key))?.length, valueBytes),
    putBatch: (keys, value) => client.putAll(keys, value),
    watch: (key, heard) => client.watch({ key }, (values) => values.forEach(heard)),
    rest: () => client.compact(),
    close: () => Promise.resolve(client.close()),
  };
}

/** Letters and digits at random: nothing that a database could compress. */
function valueOf({ valueBytes, seed }: LoadOrder): string {
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_';
  const next = drawOf(seed);
  return Array.from({ length: valueBytes }, () => letters[next(letters.length)]).join('');
}

/** Xorshift: whole numbers below a bound, the same for the same seed. */
function drawOf(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export function requestOf(order: LoadOrder, client: Client): (worker: number) => Promise<void> {
  const { clients, keys, keyPrefix, valueBytes, batchSize, workload, seed } = order;
  const value = valueOf(order);
  const draws = Array.from({ length: clients }, (_, worker) => drawOf(seed + worker * 7_919));
  const draw = (worker: number, below: number): number => draws[worker]!(below);
  const keyOf = (n: number): string => `${keyPrefix}${n}`;
  const write = (worker: number): Promise<void> => client.put(keyOf(draw(worker, keys)), value);
  const read = (worker: number): Promise<void> => client.get(keyOf(draw(worker, keys)), valueBytes);
  if (workload === 'write') return write;
  if (workload === 'read') return read;
  if (workload === 'mixed')
    return (worker) => (draw(worker, 1_000) < READS_IN_MIXED * 1_000 ? read(worker) : write(worker));
  return (worker) => {
    const from = draw(worker, keys - batchSize + 1);
    return client.putBatch(
      Array.from({ length: batchSize }, (_, i) => keyOf(from + i)),
      value,
    );
  };
}

export class NodeLoad implements Load {
  readonly description =
    'the benchmark itself, in Node: undici for REST, @grpc/grpc-js for etcd (not its own client)';

  constructor(private readonly ended: AbortSignal) {}

  can(kind: LoadOrder['kind'], workload: LoadOrder['workload']): boolean {
    return kind === 'etcd' || (kind === 'rest' && workload !== 'watch' && workload !== 'batch-cbor');
  }

  async fill(order: LoadOrder): Promise<void> {
    const { keys, keyPrefix, valueBytes, batchSize } = order;
    const atOnce = Math.max(1, Math.min(batchSize, Math.floor(FILL_BYTES_AT_ONCE / valueBytes)));
    const value = valueOf(order);
    let next = 0;
    await this.#withClient(order, FILL_WORKERS, async (client) => {
      const worker = async (): Promise<void> => {
        while (next < keys) {
          this.ended.throwIfAborted();
          const from = next;
          next += atOnce;
          const length = Math.min(atOnce, keys - from);
          await client.putBatch(
            Array.from({ length }, (_, i) => `${keyPrefix}${from + i}`),
            value,
          );
        }
      };
      await Promise.all(Array.from({ length: FILL_WORKERS }, worker));
    });
  }

  rest(order: LoadOrder): Promise<void> {
    return this.#withClient(order, 1, (client) => client.rest());
  }

  run(order: LoadOrder, onPhase: (phase: Phase, cpuMs: number) => void): Promise<LoopResult> {
    const tell = (phase: Phase): void => onPhase(phase, ownCpuMs());
    return this.#withClient(order, order.clients, (client) => {
      if (order.workload === 'watch') return this.#watch(order, client, tell);
      const request = requestOf(order, client);
      return runLoop({
        workers: order.clients,
        warmUpMs: order.warmUpMs,
        durationMs: order.durationMs,
        ...(order.rate > 0 ? { perSecond: order.rate } : {}),
        onPhase: tell,
        request,
        ended: this.ended,
      });
    });
  }

  #watch(order: LoadOrder, client: Client, tell: (phase: Phase) => void): Promise<LoopResult> {
    const key = `${order.keyPrefix}0`;
    const value = valueOf(order);
    const watch = async (watchers: number, heard: () => void): Promise<void> => {
      for (let i = 0; i < watchers; i += 1) await client.watch?.(key, heard);
    };
    return runWatchRounds({ put: () => client.put(key, value), watch }, order, tell);
  }

  async #withClient<T>(
    order: LoadOrder,
    connections: number,
    use: (client: Client) => Promise<T>,
  ): Promise<T> {
    const client =
      order.kind === 'etcd' ? etcdClient(order.endpoints) : restClient(order.endpoints, connections);
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  }
}
