/** Puts the request path together: routes, router and store, over whatever carries the frames. */
import { randomBytes } from 'node:crypto';
import type { Balancer } from '@ringleader/balancer';
import type { HybridClock } from '@ringleader/hybrid-clock';
import type { Clock, ShardOrdinal } from '@ringleader/primitives';
import { RepeatMemory } from '../kv/idempotency.js';
import { KeyValueStore } from '../kv/key-value-store.js';
import type { PartitionMapView } from '../kv/key-value-store.js';
import { ClusterRoutes } from './cluster-routes.js';
import { LeaderTable } from './leader-table.js';
import { RequestRouter } from './request-router.js';
import { DEFAULT_RETRY_TIMINGS, RetryBudget } from './retry-policy.js';
import type { RetryTimings } from './retry-policy.js';
import type { Scheduler, ShardChannelLimits } from './shard-channel.js';
import type { ShardDirectory } from './shard-directory.js';
import type { ShardFrames } from './shard-frames.js';

export interface RequestPathOptions {
  readonly frames: ShardFrames;
  readonly map: PartitionMapView;
  readonly clock: Clock;
  readonly hybridClock: HybridClock;
  readonly balancer: Balancer;
  readonly shardDirectory: ShardDirectory;
  readonly isSuspect: (shard: ShardOrdinal) => boolean;
  readonly limits: RequestPathLimits;
  readonly timings?: RetryTimings;
}

export interface RequestPathLimits {
  /** Operations under way at once; a batch has many. */
  readonly operationsMax: number;
  readonly channel: ShardChannelLimits;
  readonly repeatsRemembered: number;
}

export const DEFAULT_CHANNEL_LIMITS: ShardChannelLimits = {
  queuedRequestsMax: 20_000,
  queuedBytesMax: 67_108_864,
  stallMs: 8,
};

const LEADER_TABLE_TIMINGS = { hintMs: 1_000, announcementMs: 3_000 };
const RETRY_BUDGET = { tokensMax: 200, perSuccess: 0.1, perSecond: 50 };
const PREFIX_BYTES = 9;

export interface RequestPath {
  readonly leaders: LeaderTable;
  readonly router: RequestRouter;
  readonly store: KeyValueStore;
}

export const nodeScheduler: Scheduler = {
  soon: (task) => void setImmediate(task),
  after: (delayMs, task) => void setTimeout(task, delayMs),
};

export function createRequestPath(options: RequestPathOptions): RequestPath {
  const { frames, map, clock, hybridClock, balancer, shardDirectory, isSuspect, limits } = options;
  const monotonicMs = (): number => clock.monotonicMs();
  const leaders = new LeaderTable(LEADER_TABLE_TIMINGS);
  const { tokensMax, perSuccess, perSecond } = RETRY_BUDGET;
  const router = new RequestRouter({
    frames,
    leaders,
    timings: options.timings ?? DEFAULT_RETRY_TIMINGS,
    budget: new RetryBudget(tokensMax, perSuccess, perSecond, monotonicMs()),
    channelLimits: limits.channel,
    inFlightMax: limits.operationsMax,
    scheduler: nodeScheduler,
    monotonicMs,
    random: Math.random,
    mergeClock: hybridClock.merge,
  });
  const store = new KeyValueStore({
    router,
    map,
    routes: new ClusterRoutes({ leaders, map, balancer, shardDirectory, isSuspect }),
    repeats: new RepeatMemory(limits.repeatsRemembered),
    hybridNow: hybridClock.stamp,
    monotonicMs,
    scheduler: nodeScheduler,
    requestIdPrefix: `${randomBytes(PREFIX_BYTES).toString('base64url')}.`,
  });
  return { leaders, router, store };
}
