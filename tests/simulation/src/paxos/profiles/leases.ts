/**
 * Expiring leases with a rival ready. In all of them the first gateway's clients write, wherever a leader is, and the
 * second one's read at a leader that is cut off: what it answers must still be true.
 */
import { RULES_WITHOUT_LEASE } from '@ringleader/paxos';
import { BASE, type Profile } from '../profile.js';
import { READERS, WRITERS, type Script } from '../script.js';
import { TIMINGS, type RunSettings } from '../settings.js';
import { GOOD_LINK, type LinkQuality } from '@ringleader/testing-simulation';

/** The cluster elects within a few milliseconds, so that a rival is ready the moment a lease ends. */
export const QUICK: RunSettings = {
  ...BASE,
  cluster: {
    ...BASE.cluster,
    timings: {
      ...TIMINGS,
      leaseMs: 100,
      heartbeatIntervalMs: 20,
      electionStaggerMs: 2,
      candidacyTimeoutMs: 10,
      resendIntervalMs: 8,
    },
    turnMs: 0.1,
  },
  gateway: { ...BASE.gateway, attemptTimeoutMs: { min: 8, max: 20 }, operationTimeoutMs: 400 },
  workload: {
    ...BASE.workload,
    clients: 8,
    keysPerPartition: 2,
    thinkMsMax: 3,
    mixes: [{ put: 8, delete: 1 }, { read: 1 }],
  },
  storage: { minMs: 0.05, maxMs: 0.3 },
  links: { ...GOOD_LINK, delayMinMs: 0.1, delayMaxMs: 0.8 },
  faultyMs: 4_000,
};

/** The leader and the reading gateway on one side, everybody else on the other, until well after the lease. */
const SPLIT: Script = function* (scene) {
  yield 300;
  for (;;) {
    const leader = yield* scene.leader();
    yield scene.between(0, 40);
    const rejoin = scene.separate([leader, READERS], [...scene.others(leader), WRITERS]);
    yield scene.leaseMs * scene.between(1.3, 1.8);
    rejoin();
    yield scene.between(80, 150);
  }
};

export const SPLIT_LEADER: Profile = {
  name: 'split-leader',
  about: 'the leader is cut off with readers and conditional writers',
  settings: () => ({
    ...QUICK,
    workload: {
      ...QUICK.workload,
      mixes: [
        { put: 8, delete: 1 },
        { read: 1, conditional: 2 },
      ],
    },
  }),
  script: SPLIT,
};

/** Clocks as far apart as the drift bound allows: slow where the preferred leader is, fast where its granters are. */
export const DRIFT: Profile = {
  name: 'drift',
  about: 'split-leader with clocks that run 5 % fast or slow',
  settings: () => ({ ...QUICK, clockRates: [0.95, 1.05, 1.05] }),
  script: SPLIT,
};

/** Clocks that no lease allows for: there a round of Confirm proves each answer (docs/PROTOCOL.md 4.5.1, 4.4.6). */
export const WILD_CLOCKS: Profile = {
  name: 'wild-clocks',
  about: 'split-leader with clocks far out of the drift bound, and Confirm in place of the lease',
  settings: () => ({
    ...QUICK,
    clockRates: [0.6, 1.4, 1.4],
    workload: {
      ...QUICK.workload,
      mixes: [
        { put: 8, delete: 1 },
        { read: 3, scan: 1, conditional: 1 },
      ],
    },
  }),
  rules: RULES_WITHOUT_LEASE,
  script: SPLIT,
};

/** Whatever comes back to the leader is late; what it sends arrives at once. */
export const SLOW_ANSWERS: Profile = {
  name: 'slow-answers',
  about: 'split-leader, with answers to the leader that took most of a lease',
  settings: () => QUICK,
  script: function* (scene) {
    yield 300;
    const { network } = scene.cluster.world;
    for (;;) {
      const leader = yield* scene.leader();
      const slow: LinkQuality = {
        delayMinMs: 30,
        delayMaxMs: 60,
        tailProbability: 0,
        tailDelayMs: 0,
        lossProbability: 0,
        duplicateProbability: 0,
      };
      const others = scene.others(leader);
      for (const other of others) network.setLinkQuality(other, leader, slow);
      yield scene.between(80, 120);
      // Only what the leader sends is cut: the answers under way still arrive.
      for (const other of [...others, WRITERS]) network.cut(leader, other);
      const rejoin = scene.separate([READERS], [...others, WRITERS]);
      yield scene.leaseMs * scene.between(1.3, 1.8);
      for (const other of [...others, WRITERS]) network.heal(leader, other);
      for (const other of others) network.setLinkQuality(other, leader, null);
      rejoin();
      yield scene.between(80, 150);
    }
  },
};

/** Beats so rare that a lease ends between two of them: what a beat found out is no answer to a later question. */
export const RARE_BEATS: Profile = {
  name: 'rare-beats',
  about: 'split-leader with less than three heartbeats in a lease',
  settings: () => ({
    ...QUICK,
    cluster: { ...QUICK.cluster, timings: { ...QUICK.cluster.timings, heartbeatIntervalMs: 40 } },
  }),
  script: SPLIT,
};

/** The leader stops between reading a row and answering, and goes on when another one has written. */
export const PAUSED_LEADER: Profile = {
  name: 'paused-leader',
  about: 'a leader is paused for longer than its lease, with reads in the middle',
  settings: () => ({ ...QUICK, readLatency: { minMs: 0.5, maxMs: 6 } }),
  script: function* (scene) {
    yield 300;
    for (;;) {
      const leader = yield* scene.leader();
      yield scene.between(0, 40);
      const node = scene.cluster.world.node(leader);
      const rejoin = scene.separate([leader, READERS], [...scene.others(leader), WRITERS]);
      node.pause();
      yield scene.leaseMs * scene.between(1.3, 2);
      node.resume();
      yield scene.between(5, 20);
      rejoin();
      yield scene.between(80, 150);
    }
  },
};

/** Five replicas: a leader without a lease, and one follower that hears nobody else and answers bounded reads. */
export const AGED_REPLICA: Profile = {
  name: 'aged-replica',
  about: 'a follower hears only a deposed leader and claims how old its rows are',
  settings: () => ({
    ...QUICK,
    cluster: { ...QUICK.cluster, shards: 5, replicationFactor: 5 },
    workload: { ...QUICK.workload, mixes: [{ put: 8, delete: 1 }, { boundedRead: 1 }] },
  }),
  script: function* (scene) {
    yield 300;
    for (;;) {
      const leader = yield* scene.leader();
      yield scene.between(0, 40);
      const [follower, ...rest] = scene.others(leader);
      if (follower === undefined) return;
      const rejoin = scene.separate([leader, follower, READERS], [...rest, WRITERS]);
      yield scene.leaseMs * scene.between(2, 5);
      rejoin();
      yield scene.between(100, 200);
    }
  },
};
