/**
 * A shard's rows are in its database: what its process remembers of them is bounded, whatever their number. Measured on the
 * live heap after a collection, so that it also sees what nobody thought of.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { HYBRID_UNITS_PER_MS, seededPrng } from '@ringleader/primitives';
import { LIMITS, TIMINGS } from '../test/memory-cluster.js';
import { KEYED_ID_PREFIX, PaxosShard, type Ready, type StorageReadResult } from './index.js';
import { TextTable } from './partition/text-table.js';

const PARTITIONS = 16;
const MIB = 1 << 20;
const TOGETHER = 500;
/** A value is a small part of what arrived with it. */
const FRAME_BYTES = 8_192;
const VALUE_BYTES = 100;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** A shard that is alone, and whose database keeps nothing in this process. */
class LoneShard {
  private now = 1_000_000;
  private token = 0;
  private written = 0;
  private readonly shard: PaxosShard;

  constructor() {
    this.shard = new PaxosShard({
      ...{
        ordinal: 1,
        incarnation: 1,
        timings: { ...TIMINGS, repeatWindowMs: 60_000 },
        records: [],
        startedAt: this.now,
      },
      limits: { ...LIMITS, rowCacheBytesMax: MIB, keyedBytesMax: MIB, recentBytesMax: MIB / 2 },
      stamp: () => this.now * HYBRID_UNITS_PER_MS,
      prng: seededPrng(1),
    });
    const members = { replicas: [1], nextReplicas: null, learners: [], preferredLeader: 1 };
    const map = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, epoch: 1, ...members }));
    this.shard.learnMap(map, this.now);
    for (let i = 0; i < 10_000 && !this.leadsAll(); i += 1) this.step();
    if (!this.leadsAll()) throw new Error('the shard leads nothing');
  }

  /** Each key once, under a client's own idempotency key. */
  writeKeys(count: number, from: number): void {
    const ballots = this.shard.status().map(({ ballot }) => ballot);
    for (let i = from; i < from + count; i += TOGETHER) {
      for (let n = 0; n < TOGETHER; n += 1) {
        const partition = (i + n) % PARTITIONS;
        this.shard.submit(
          {
            ...{ kind: 'write', token: ++this.token, partition, epoch: 1, ballot: ballots[partition] ?? 0 },
            requestId: `${KEYED_ID_PREFIX}${String(i + n).padStart(24, 'x')}`,
            origin: this.now * HYBRID_UNITS_PER_MS,
            operation: {
              ...{
                kind: 'put',
                key: `keys/${i + n}`,
                contentType: 'text/plain',
                expiresAt: null,
                conditions: [],
              },
              value: new Uint8Array(FRAME_BYTES).subarray(0, VALUE_BYTES),
            },
            deadline: this.now + 5_000,
          },
          this.now,
        );
      }
      const wanted = i + TOGETHER;
      while (this.written < wanted) this.step();
    }
  }

  private leadsAll(): boolean {
    const status = this.shard.status();
    return status.length === PARTITIONS && status.every(({ serving }) => serving);
  }

  private step(): void {
    this.now += 1;
    this.shard.tick(this.now, this.now);
    for (;;) {
      const ready = this.shard.takeReady();
      if (ready.transaction === null && ready.reads.length + ready.replies.length === 0) return;
      this.perform(ready);
    }
  }

  private perform({ transaction, reads, replies }: Ready): void {
    for (const { kind } of replies) {
      if (kind !== 'written') throw new Error(`a write was answered ${kind}`);
      this.written += 1;
    }
    for (const read of reads) {
      if (read.kind !== 'rows') throw new Error(`${read.kind} was read`);
      const result: StorageReadResult = { kind: 'rows', id: read.id, rows: read.keys.map(() => null) };
      this.shard.readDone(result, this.now);
    }
    if (transaction !== null) this.shard.transactionDurable(transaction.id, this.now);
  }
}

function liveBytes(): number {
  // Buffers are freed behind a collection's back, and before the next one ends.
  for (let i = 0; i < 3; i += 1) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('the memory of a shard', () => {
  it('does not grow with the number of its keys', () => {
    const shard = new LoneShard();
    shard.writeKeys(10_000, 0);
    const few = liveBytes();
    shard.writeKeys(90_000, 10_000);
    const many = liveBytes();

    expect((many - few) / MIB).toBeLessThan(2);
  }, 60_000);
});

describe('a table of texts', () => {
  it('takes no more room, however much passes through it', () => {
    const table = new TextTable(3);
    for (let i = 0; i < 1_000; i += 1) table.add(`key:${i}`, i, i, i);
    const before = liveBytes();
    for (let i = 1_000; i < 300_000; i += 1) {
      table.add(`key:${i}`, i, i, i);
      table.dropFirst();
    }
    expect(table.size).toBe(1_000);
    expect(liveBytes() - before).toBeLessThan(MIB);
  });
});
