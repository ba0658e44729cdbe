import type { ShardOrdinal } from '@ringleader/primitives';
import type { Profile } from '../profile.js';
import { lead, READERS, WRITERS, type Scene, type Script } from '../script.js';
import type { SimMessage } from '../sim-messages.js';
import { ask, done, SCRIPTED, until } from './scripted.js';

const SLOW = { minMs: 50, maxMs: 70 };
const FAST = { minMs: 0.05, maxMs: 0.3 };
const KEYS = ['a', 'b', 'c'];
/** A partition whose writes occupy the leader's storage. */
const OTHER = 1;

interface Cast {
  /** It has repaired the follower. */
  readonly leader: ShardOrdinal;
  readonly follower: ShardOrdinal;
  /** It has what the repair led to, and hears of nothing after that. */
  readonly witness: ShardOrdinal;
  /** What the leader sent for the repair. */
  readonly offer: SimMessage;
  readonly delta: SimMessage;
}

/**
 * A leader repairs a follower, and they go on without the third one. Then the offer arrives once more, and would lead the
 * follower back: with an answer that was made before, or one of a leader whose own storage lags behind. Then the leader is
 * gone, and the third one elects itself with what the follower has.
 */
const SCRIPT: Script = function* (scene) {
  yield 300;
  const { workload } = scene.cluster;
  for (;;) {
    const cast = yield* repaired(scene);
    if (cast === null) continue;
    const { leader, follower, witness } = cast;
    const rejoin = scene.separate([witness], [leader, follower]);
    if (scene.prng.nextBelow(2) === 0) yield* offeredWithLateAnswer(scene, cast);
    else yield* offeredByLaggingLeader(scene, cast);
    const hideLeader = scene.separate([leader], [follower, witness, READERS, WRITERS]);
    rejoin();
    yield* lead(scene, witness);
    const reads = KEYS.map((key) =>
      ask(scene, { kind: 'read', partition: 0, key, maxStalenessMs: 'linearizable' }),
    );
    yield* until(() => reads.every((isAnswered) => isAnswered()));
    yield* done(scene, [workload.put(0, 'd')]);
    hideLeader();
    yield scene.leaseMs;
  }
};

/** A follower misses what its next leader has adopted. */
function* repaired(scene: Scene): Generator<number, Cast | null> {
  const { workload } = scene.cluster;
  const witness = yield* scene.leader();
  const [follower, leader] = scene.others(witness);
  if (follower === undefined || leader === undefined) return null;
  const rejoin = scene.separate([follower], [leader, witness]);
  yield* done(
    scene,
    KEYS.map((key) => workload.put(0, key)),
  );
  yield* lead(scene, leader);
  yield* lead(scene, leader, OTHER);
  let offer: SimMessage | null = null;
  let delta: SimMessage | null = null;
  scene.pass((from, to, message) => {
    if (from !== leader || to !== follower || message.kind !== 'peer') return true;
    if (message.message.kind === 'repairOffer') offer ??= message;
    if (message.message.kind === 'delta') delta ??= message;
    return true;
  });
  rejoin();
  yield* until(() => offer !== null && delta !== null, scene.leaseMs * 4);
  yield scene.leaseMs;
  scene.pass(null);
  return offer === null || delta === null ? null : { leader, follower, witness, offer, delta };
}

/** The follower has a later row; what was answered before has the one of then. */
function* offeredWithLateAnswer(
  scene: Scene,
  { leader, follower, offer, delta }: Cast,
): Generator<number, void> {
  const { workload, world } = scene.cluster;
  yield* done(scene, [workload.put(0, KEYS[0] as string)]);
  scene.pass((from, to, message) => from !== leader || to !== follower || [offer, delta].includes(message));
  world.network.send(leader, follower, offer);
  yield 1;
  world.network.send(leader, follower, delta);
  yield 5;
  scene.pass(null);
}

/** The follower has a row, and says so, before the leader's own storage has begun with it. */
function* offeredByLaggingLeader(scene: Scene, { leader, follower, offer }: Cast): Generator<number, void> {
  const { cluster } = scene;
  cluster.stores.get(leader)?.setLatency(SLOW);
  ask(scene, cluster.workload.put(OTHER, 'x'));
  yield 3;
  const before = positionOf(scene, follower);
  const isDone = ask(scene, cluster.workload.put(0, KEYS[0] as string));
  yield* until(() => positionOf(scene, follower) > before, scene.leaseMs);
  let isAnswered = false;
  scene.pass((from, to, message) => {
    if (from !== leader || to !== follower || message === offer) return true;
    const passes = !isAnswered;
    isAnswered ||= message.kind === 'peer' && message.message.kind === 'delta';
    return passes;
  });
  cluster.world.network.send(leader, follower, offer);
  yield* until(() => isAnswered, scene.leaseMs * 3);
  cluster.stores.get(leader)?.setLatency(FAST);
  yield* until(isDone, scene.leaseMs * 3);
  scene.pass(null);
}

function positionOf({ cluster }: Scene, shard: ShardOrdinal): number {
  return cluster.database(shard).records.get(0)?.position.revision ?? 0;
}

export const LATE_OFFERS: Profile = {
  name: 'late-offers',
  about: 'a repair is offered once more to a follower that has gone on, before it elects',
  settings: () => ({
    ...SCRIPTED,
    cluster: {
      ...SCRIPTED.cluster,
      // Whoever asks a slow leader does not give up.
      timings: { ...SCRIPTED.cluster.timings, candidacyTimeoutMs: 300 },
      partitions: 2,
    },
    readLatency: FAST,
    lastReads: false,
  }),
  script: SCRIPT,
};
