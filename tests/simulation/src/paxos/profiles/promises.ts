/** What a promise says, and from when on it holds: scripts after the shortest traces of the model. */
import { ownerOf } from '@ringleader/paxos';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Profile } from '../profile.js';
import { lead, READERS, WRITERS, type Scene, type Script } from '../script.js';
import { ask, done, SCRIPTED, until } from './scripted.js';

const FAST = { minMs: 0.05, maxMs: 0.3 };
const KEY = 'a';

function* readOnce(scene: Scene): Generator<number, void> {
  yield* done(scene, [{ kind: 'read', partition: 0, key: KEY, maxStalenessMs: 'linearizable' }]);
}

/**
 * A follower has a batch in its storage's queue for longer than its grant runs, and promises behind it, to one that has not
 * heard of the batch. The leader, with the follower, commits it.
 */
const STALE_PROMISE_SCRIPT: Script = function* (scene) {
  yield 500;
  const { cluster } = scene;
  for (;;) {
    const leader = yield* scene.leader();
    // The follower's turn to stand comes after that of the other one.
    const [ignorant, follower] = scene.others(leader).sort((a, b) => a - b);
    if (follower === undefined || ignorant === undefined) return;
    const rejoin = scene.separate([ignorant], [leader, WRITERS]);
    const slowMs = scene.leaseMs * scene.between(1.3, 1.8);
    cluster.stores.get(follower)?.setLatency({ minMs: slowMs, maxMs: slowMs });
    const isDone = ask(scene, cluster.workload.put(0, KEY));
    let isSent = false;
    scene.pass((from, to, message) => {
      if (from !== leader || to !== follower || message.kind !== 'peer') return true;
      const passes = !isSent;
      isSent ||= message.message.kind === 'accepts';
      return passes;
    });
    yield* until(() => isSent);
    // Of what it begins from now on.
    yield 2;
    cluster.stores.get(follower)?.setLatency(FAST);
    yield* until(isDone, scene.leaseMs * 3);
    const isLed = (): boolean => cluster.status(ignorant, 0)?.serving === true;
    yield* until(isLed, scene.leaseMs * 4);
    const hideLeader = scene.separate([leader], [follower, ignorant, READERS]);
    yield* readOnce(scene);
    scene.pass(null);
    hideLeader();
    rejoin();
    yield scene.leaseMs * 3;
  }
};

export const STALE_PROMISE: Profile = {
  name: 'stale-promise',
  about: 'a follower promises while a batch that it has heard of is not yet in its storage',
  settings: () => ({
    ...SCRIPTED,
    cluster: {
      ...SCRIPTED.cluster,
      // A candidate waits for a promise as long as the storage takes.
      timings: { ...SCRIPTED.cluster.timings, candidacyTimeoutMs: 200, electionStaggerMs: 30 },
    },
    readLatency: FAST,
    lastReads: false,
    faultyMs: 4_000,
  }),
  script: STALE_PROMISE_SCRIPT,
};

/** Nothing but what is said between the two, and to and from gateways. */
function only(scene: Scene, a: ShardOrdinal, b: ShardOrdinal): void {
  scene.pass((from, to, message) => {
    if (message.kind !== 'peer') return true;
    return message.message.kind !== 'stand' && [from, to].every((one) => one === a || one === b);
  });
}

/**
 * A candidate whose storage is slow has the promise of a witness, which follows it. It dies, and helps one with a lower
 * ballot of the same round to elect itself, which commits. The witness has the higher ballot.
 */
const REUSED_BALLOT_SCRIPT: Script = function* (scene) {
  yield 300;
  const { cluster } = scene;
  const { workload, shards, world } = cluster;
  const [low, witness, high] = shards;
  if (low === undefined || witness === undefined || high === undefined) return;
  for (;;) {
    yield* lead(scene, witness);
    yield* done(scene, [workload.put(0, KEY)]);
    yield scene.leaseMs;
    const hideReaders = scene.separate([READERS], [low, witness]);
    cluster.stores.get(high)?.setLatency({ minMs: 60, maxMs: 80 });
    only(scene, high, witness);
    cluster.processes.get(witness)?.releaseAll();
    const followed = (): number => ownerOf(cluster.database(witness).records.get(0)?.position.ballot ?? 0);
    yield* until(() => followed() === high, scene.leaseMs);
    world.node(high).crash();
    cluster.stores.get(high)?.setLatency(FAST);
    hideReaders();
    world.node(high).start();
    only(scene, high, low);
    const hideWitness = scene.separate([READERS, WRITERS], [witness]);
    yield* until(() => cluster.status(low, 0)?.serving === true, scene.leaseMs * 5);
    yield* done(scene, [workload.put(0, KEY)]);
    const hideLow = scene.separate([low], [READERS, WRITERS]);
    hideWitness();
    only(scene, high, witness);
    yield scene.leaseMs * 4;
    yield* readOnce(scene);
    scene.pass(null);
    hideLow();
    scene.restart(witness);
  }
};

export const REUSED_BALLOT: Profile = {
  name: 'reused-ballot',
  about: 'a candidate with slow storage dies, and helps a lower ballot',
  settings: () => ({
    ...SCRIPTED,
    readLatency: FAST,
    lastReads: false,
    faultyMs: 6_000,
  }),
  script: REUSED_BALLOT_SCRIPT,
};
