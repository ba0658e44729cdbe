import type { Script } from '../script.js';

/** Cuts the leader off in the middle of its batches, again and again, and lets one other replica see a part of them. */
export const CHURN_SCRIPT: Script = function* (scene) {
  yield 300;
  for (;;) {
    const leader = yield* scene.leader();
    const others = scene.others(leader);
    const witnesses = scene.prng.nextBelow(3) === 0 ? others.slice(0, 1) : [];
    const rest = others.filter((shard) => !witnesses.includes(shard));
    const rejoin = scene.separate([leader, ...witnesses], rest);
    if (scene.prng.nextBelow(3) === 0) {
      yield scene.between(0, 10);
      scene.restart(leader);
    }
    yield scene.leaseMs * scene.between(1, 2.5);
    rejoin();
    yield scene.between(0, scene.leaseMs);
  }
};

/** The leader dies, or is cut off, and all others find out at the same time. */
export const DUEL_SCRIPT: Script = function* (scene) {
  yield 300;
  for (;;) {
    const leader = yield* scene.leader();
    if (scene.prng.nextBelow(2) === 0) {
      scene.restart(leader);
      yield scene.leaseMs * scene.between(1, 2);
    } else {
      const rejoin = scene.separate([leader], scene.others(leader));
      yield scene.leaseMs * scene.between(0.9, 1.5);
      rejoin();
    }
    yield scene.between(10, 60);
  }
};

export const HANDOVER_SCRIPT: Script = function* (scene) {
  yield 300;
  for (;;) {
    const leader = yield* scene.leader();
    yield scene.between(5, 60);
    scene.cluster.processes.get(leader)?.releaseAll();
    yield scene.between(20, 60);
    scene.restart(leader);
    yield scene.leaseMs * scene.between(0.5, 1.5);
  }
};
