/** The router over shards in memory, in time that only the test moves. */
import { TargetLoads } from '@ringleader/balancer';
import type { FramedRequest } from '@ringleader/contracts';
import { GatewayClock } from '@ringleader/hybrid-clock';
import type { Condition } from '@ringleader/paxos';
import { type PartitionIndex, seededPrng } from '@ringleader/primitives';
import { KeyValueStore } from '../../src/kv/key-value-store.js';
import { DEFAULT_RETRY_TIMINGS, RetryBudget } from '../../src/routing/attempts.js';
import { ReplicaPicker } from '../../src/routing/replica-picker.js';
import { RequestRouter } from '../../src/routing/request-router.js';
import type { Outcome } from '../../src/routing/in-flight.js';
import { LeaderTable, RoutingTable } from '../../src/routing/routing-table.js';
import { ShardDirectory } from '../../src/routing/shard-directory.js';
import { InMemoryShards } from './in-memory-shards.js';
import { ManualScheduler } from './manual-scheduler.js';

export const KEY = 'key';
export const TIMEOUT_MS = 5_000;

export class RouterSetting {
  readonly shards: InMemoryShards;
  readonly leaders = new LeaderTable();
  readonly suspects = new Set<number>();
  readonly router: RequestRouter;
  readonly store: KeyValueStore;
  readonly partition: PartitionIndex;

  constructor(
    retriesMax = 100,
    readonly time = new ManualScheduler(),
    { shards = new InMemoryShards(16, [1, 2, 3], time.soon, time.wallMs), clockAheadMs = 0 } = {},
  ) {
    this.shards = shards;
    this.partition = shards.partitionOfKey(KEY);
    const prng = seededPrng(1);
    const { leaders } = this;
    const { stamp, merge } = new GatewayClock({
      monotonicMs: time.monotonicMs,
      wallMs: () => time.wallMs() + clockAheadMs,
    });
    const loads = new TargetLoads();
    this.router = new RequestRouter({
      frames: shards,
      leaders,
      loads,
      timings: DEFAULT_RETRY_TIMINGS,
      budget: new RetryBudget(retriesMax, 0, 0, 0),
      channelLimits: { queuedRequestsMax: 4, queuedBytesMax: 10_000, stallMs: 8 },
      inFlightMax: 50,
      scheduler: time,
      monotonicMs: time.monotonicMs,
      random: () => prng.nextFloat(),
      mergeClock: merge,
    });
    const directory = new ShardDirectory();
    directory.isSuspect = (shard) => this.suspects.has(shard);
    const replicas = new ReplicaPicker({
      ...{ strategy: 'round-robin', slowStartMs: 0, prng, loads },
      shards: directory,
    });
    const routes = new RoutingTable({ leaders, map: shards, replicas });
    this.store = new KeyValueStore({
      router: this.router,
      map: shards,
      routes,
      repeatsRemembered: 10,
      hybridNow: stamp,
      monotonicMs: time.monotonicMs,
      scheduler: time,
    });
  }

  announce(): void {
    this.shards.announce(this.leaders, this.time.now);
    this.router.leadersChanged(new Set([this.partition]));
  }

  put(
    value: string,
    conditions: readonly Condition[] = [],
    idempotencyKey: string | null = null,
    timeoutMs = TIMEOUT_MS,
  ): Promise<Outcome> {
    const operation = {
      kind: 'put',
      key: KEY,
      value: Buffer.from(value),
      contentType: 'text/plain',
      expiresAt: null,
      conditions,
    } as const;
    const repeatable = idempotencyKey === null ? null : { idempotencyKey, occurrence: 0 };
    return this.store.write(operation, repeatable, this.time.now + timeoutMs);
  }

  get(maxStalenessMs?: number | null): Promise<Outcome> {
    const consistency =
      maxStalenessMs === undefined
        ? ({ kind: 'linearizable' } as const)
        : ({ kind: 'stale', maxStalenessMs } as const);
    return this.store.read(KEY, consistency, this.time.now + TIMEOUT_MS);
  }

  async outcome(promise: Promise<Outcome>, afterMs = 0): Promise<string> {
    this.time.advance(afterMs);
    const outcome = await promise;
    return outcome.kind === 'failed' ? outcome.code : outcome.reply.kind;
  }

  async value(): Promise<string | null> {
    const reading = this.get();
    this.time.advance(1_000);
    const outcome = await reading;
    if (outcome.kind !== 'answered' || outcome.reply.kind !== 'row') throw new Error('no row');
    const { row } = outcome.reply;
    return row?.value === null || row === null ? null : Buffer.from(row.value).toString();
  }

  get requestsSent(): FramedRequest[] {
    return this.shards.framesSent.flatMap(({ requests }) => requests);
  }
}
