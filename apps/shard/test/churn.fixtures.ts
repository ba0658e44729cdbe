/** A shard that is alone, on a real PostgreSQL, under as many writes as it takes. */
import { readdir, readFile } from 'node:fs/promises';
import { systemClock } from '@ringleader/observability';
import { PaxosShard, type DeleteOperation, type PutOperation, type ShardReply } from '@ringleader/paxos';
import { seededPrng } from '@ringleader/primitives';
import { until } from '@ringleader/testing-servers';
import { ShardClock } from '../src/partitions/shard-clock.js';
import { ShardDriver } from '../src/partitions/shard-driver.js';
import { paxosLimits, paxosTimings, shardConfigSchema } from '../src/shard.config.js';
import type { ShardStorage } from '../src/storage/shard-storage.js';
import { fixedMap } from './shell.fixtures.js';
import { openStorage } from './storage.fixtures.js';

export type Operation = PutOperation | DeleteOperation;

const PARTITIONS = 16;
const NO_PEERS = {
  sendToPeer: () => undefined,
  sendParcelToPeer: () => undefined,
  holdsBack: () => false,
  carriesParcels: false,
  limit: () => undefined,
  roomChanged: () => undefined,
};

export class LoneShard {
  private lastToken = 0;
  private readonly waiting = new Map<number, (reply: ShardReply) => void>();

  private constructor(
    private readonly storage: ShardStorage,
    private readonly clock: ShardClock,
    private readonly core: PaxosShard,
    private readonly driver: ShardDriver,
  ) {}

  static async start(url: string, settings: Readonly<Record<string, string>>): Promise<LoneShard> {
    const { storage, records, incarnation } = await openStorage(url);
    const clock = new ShardClock(systemClock);
    const member = { RINGLEADER_MEMBER: 'shard-1', RINGLEADER_POSTGRES_URL: url };
    const config = shardConfigSchema.parse({ ...member, ...settings });
    const core = new PaxosShard({
      ...{ ordinal: 1, incarnation, records, stamp: clock.stamp, startedAt: clock.monotonicMs() },
      timings: paxosTimings(config),
      limits: paxosLimits(config),
      prng: seededPrng(1),
    });
    const failed = Promise.withResolvers<never>();
    const shard: LoneShard = new LoneShard(
      storage,
      clock,
      core,
      new ShardDriver({
        ...{ ordinal: 1, core, storage, clock, peers: NO_PEERS, onFailure: failed.reject },
        onReply: (reply) => shard.waiting.get(reply.token)?.(reply),
        onEvent: () => undefined,
        onTurnEnd: () => undefined,
        onTransaction: () => undefined,
      }),
    );
    shard.driver.learnMap(fixedMap(PARTITIONS, [1]));
    const isLed = (): boolean => core.status().every(({ serving }) => serving) && core.status().length > 0;
    await Promise.race([
      until('all partitions are led', () => Promise.resolve(isLed()), { timeoutMs: 20_000 }),
      failed.promise,
    ]);
    return shard;
  }

  get purging(): ReturnType<PaxosShard['purging']> {
    return this.core.purging();
  }

  /** How many operations there were until it was over. */
  async run(isOver: () => boolean, next: () => Operation, underWay: number): Promise<number> {
    let count = 0;
    const client = async (): Promise<void> => {
      while (!isOver()) {
        const reply = await this.write(next());
        if (reply.kind === 'written' || reply.kind === 'absent') count += 1;
      }
    };
    await Promise.all(Array.from({ length: underWay }, client));
    return count;
  }

  async stop(): Promise<void> {
    await this.driver.leave(0);
    this.driver.stop();
    await this.storage.close();
  }

  private async write(operation: Operation): Promise<ShardReply> {
    const token = ++this.lastToken;
    const partition = partitionOf(operation.key);
    const { ballot } = this.core.status()[partition]!;
    const { promise, resolve } = Promise.withResolvers<ShardReply>();
    this.waiting.set(token, resolve);
    const origin = this.clock.stamp();
    const deadline = this.clock.monotonicMs() + 60_000;
    const request = {
      token,
      partition,
      epoch: 1,
      ballot,
      requestId: `r${token}`,
      origin,
      operation,
      deadline,
    };
    this.driver.submit([{ kind: 'write', ...request }]);
    const reply = await promise;
    this.waiting.delete(token);
    return reply;
  }
}

function partitionOf(key: string): number {
  let hash = 0;
  for (let index = 0; index < key.length; index += 1) hash = (hash * 31 + key.charCodeAt(index)) >>> 0;
  return hash % PARTITIONS;
}

const MS_PER_TICK = 10;

/** CPU time of a server and its children, in ms. */
export async function cpuOf(pid: number): Promise<number> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(
    names.map((name) => readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')),
  );
  let ticks = 0;
  for (const stat of stats) {
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const isOfServer = fields[1] === String(pid) || stat.startsWith(`${pid} `);
    // Of children that have ended too: a vacuum is a process.
    if (isOfServer) ticks += Number(fields[11]) + Number(fields[12]);
    if (stat.startsWith(`${pid} `)) ticks += Number(fields[13]) + Number(fields[14]);
  }
  return ticks * MS_PER_TICK;
}
