import { RULES } from '@ringleader/paxos';
import type { Control } from './control.js';
import { AGED_REPLICA, DRIFT, RARE_BEATS, SLOW_ANSWERS, WILD_CLOCKS } from '../profiles/leases.js';
import { SHORT_OF_A_JUMP, STOPPED_LEADER } from '../profiles/stops.js';
import { SUSPENDED } from '../profiles/suspended.js';
import {
  CONFIRMED_ONLY,
  HEARTBEATS_ONLY,
  NEW_EPOCH,
  RELEASED,
  RESTARTED_GRANTER,
} from '../profiles/grants.js';

/** docs/PROTOCOL.md 4.4 and 4.5.3: leases and freshness. */
export const LEASE_CONTROLS: readonly Control[] = [
  {
    name: 'PairLease',
    broken: 'a lease between two shards covers every partition the holder thinks it leads',
    rules: { coversPartition: () => true },
    profile: HEARTBEATS_ONLY,
    caughtBy: 'linearizability',
  },
  {
    name: 'NoDriftBound',
    broken: 'leader counts the full L with drifting clocks',
    rules: { countedLeaseMs: (leaseMs) => leaseMs },
    profile: DRIFT,
    caughtBy: 'linearizability',
  },
  {
    name: 'LeaseFromReply',
    broken: 'leader counts L from the reply instead of from its sending',
    rules: { countedFrom: (_sentAt, receivedAt) => receivedAt },
    profile: SLOW_ANSWERS,
    caughtBy: 'linearizability',
  },
  {
    name: 'LeaseFlag',
    broken: 'the lease is a flag that was set before the request arrived',
    rules: { hasLease: (_computeNow, seenEarlier) => seenEarlier },
    profile: RARE_BEATS,
    caughtBy: 'linearizability',
  },
  {
    name: 'NoRestartWait',
    broken: 'a restarted acceptor promises at once',
    rules: { restartWaitMs: () => 0 },
    profile: RESTARTED_GRANTER,
    caughtBy: 'linearizability',
  },
  {
    name: 'ConfirmProtectsNothing',
    broken: 'only batches, not a Confirm, make a grant protect the partition',
    rules: { protectedByConfirm: () => 0 },
    profile: CONFIRMED_ONLY,
    caughtBy: 'linearizability',
  },
  {
    name: 'EpochDropsGrant',
    broken: 'learning a new epoch drops the running grant',
    rules: { grantsEndWithEpoch: () => true },
    profile: NEW_EPOCH,
    caughtBy: 'linearizability',
  },
  {
    name: 'ReleasedKeepsServing',
    broken: 'a leader that handed over serves on at its ballot',
    rules: { servesAfterRelease: () => true },
    profile: RELEASED,
    caughtBy: 'linearizability',
  },
  {
    name: 'FreshWithoutLease',
    broken: 'age of a stale read taken from a leader without lease',
    rules: { mayStampFresh: (barrierCommitted) => barrierCommitted },
    profile: AGED_REPLICA,
    caughtBy: 'staleness',
  },
  {
    name: 'StampsOutliveStop',
    broken: 'stamps from before a clock stood still are counted after it',
    rules: { outlivesJump: () => true },
    profile: SUSPENDED,
    caughtBy: 'linearizable read',
  },
  {
    name: 'LongStops',
    broken: 'a clock may stand still unseen for longer than the discount covers (L/4)',
    rules: { clockToleranceMs: (leaseMs) => leaseMs / 4 },
    profile: SHORT_OF_A_JUMP,
    caughtBy: 'linearizability',
  },
  {
    name: 'ShortStops',
    broken: 'a clock that stood still is compared with the last look, so that short stops do not add up',
    rules: { clockBaseline: (_atLastJump, now) => now },
    profile: SHORT_OF_A_JUMP,
    caughtBy: 'linearizability',
  },
  {
    name: 'StampAtStop',
    broken: 'a stamp equal to the reading at which the stop was found is counted',
    rules: { outlivesJump: (stamp, jumpSeenAt) => stamp >= jumpSeenAt },
    profile: STOPPED_LEADER,
    caughtBy: 'linearizable read',
  },
  {
    name: 'LeaseOnWildClocks',
    broken: 'a lease is counted on though clocks run further apart than it allows for',
    rules: { hasLease: RULES.hasLease },
    profile: WILD_CLOCKS,
    caughtBy: 'linearizability',
  },
];
