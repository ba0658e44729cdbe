import { beforeAll, describe, expect, it } from '@jest/globals';
import { appendPeerMessage, ByteWriter } from '@ringleader/contracts';
import { PaxosShard, type PartitionAssignment, type ShardMessage } from '@ringleader/paxos';
import { seededPrng } from '@ringleader/primitives';
import { paxosLimits, paxosTimings, shardConfigSchema } from '../shard.config.js';

const PARTITIONS = 16_384;
const ORDINALS = [1, 2, 3];

/** Three shards whose messages take a millisecond and whose transactions take none. */
class IdleCluster {
  now = 1_000;
  messages = 0;
  bytes = 0;
  private readonly shards = new Map<number, PaxosShard>();
  private flights: { from: number; to: number; message: ShardMessage }[] = [];
  private readonly writer = new ByteWriter();

  constructor(
    readonly timings: ReturnType<typeof paxosTimings>,
    limits: ReturnType<typeof paxosLimits>,
  ) {
    for (const ordinal of ORDINALS) {
      const shard = new PaxosShard({
        ordinal,
        incarnation: 1,
        timings,
        limits,
        records: [],
        stamp: () => this.now * 1_024,
        prng: seededPrng(ordinal),
        startedAt: this.now,
      });
      shard.learnMap(mapOf(PARTITIONS), this.now);
      this.shards.set(ordinal, shard);
    }
  }

  get led(): number {
    let led = 0;
    for (const shard of this.shards.values()) led += shard.status().filter(({ serving }) => serving).length;
    return led;
  }

  run(ms: number): void {
    for (const end = this.now + ms; this.now < end;) {
      this.now += 1;
      const arrived = this.flights;
      this.flights = [];
      for (const { from, to, message } of arrived) this.shards.get(to)?.receive(from, message, this.now);
      for (const [ordinal, shard] of this.shards) this.turn(ordinal, shard);
    }
  }

  private turn(ordinal: number, shard: PaxosShard): void {
    if (this.now >= shard.nextDeadline()) shard.tick(this.now, this.now);
    for (;;) {
      const { transaction, messages } = shard.takeReady();
      for (const { to, message } of messages) {
        this.flights.push({ from: ordinal, to, message });
        this.messages += 1;
        appendPeerMessage(this.writer, message);
        this.bytes += this.writer.take().length;
      }
      if (transaction === null) return;
      shard.transactionDurable(transaction.id, this.now);
    }
  }
}

function mapOf(count: number): PartitionAssignment[] {
  return Array.from({ length: count }, (_, partition) => ({
    partition,
    epoch: 1,
    replicas: ORDINALS,
    nextReplicas: null,
    learners: [],
    preferredLeader: ORDINALS[partition % ORDINALS.length] ?? 1,
  }));
}

describe('what idle shards say to each other', () => {
  let cluster: IdleCluster;

  beforeAll(() => {
    const config = shardConfigSchema.parse({
      RINGLEADER_MEMBER: 'shard-1',
      RINGLEADER_POSTGRES_URL: 'postgres://localhost/none',
    });
    cluster = new IdleCluster(paxosTimings(config), paxosLimits(config));
    const { leaseMs } = cluster.timings;
    while (cluster.led < PARTITIONS) cluster.run(leaseMs);
    cluster.run(4 * leaseMs);
  }, 60_000);

  it('does not grow with the partitions: eleven small messages per beat and pair', () => {
    const beats = 10;
    const pairs = ORDINALS.length * (ORDINALS.length - 1);
    const { messages, bytes } = cluster;
    cluster.run(beats * cluster.timings.heartbeatIntervalMs);
    expect(cluster.messages - messages).toBeLessThanOrEqual(11 * pairs * (beats + 1));
    expect(cluster.messages - messages).toBeGreaterThanOrEqual(11 * pairs * (beats - 1));
    expect(cluster.bytes - bytes).toBeLessThanOrEqual(450 * pairs * (beats + 1));
  });
});
