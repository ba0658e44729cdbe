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

/**
 * The leader gives up, the two others stand at once. The one with the higher ballot gets the promise of the other one,
 * and nothing else of what it sends arrives for a while; the lower one gets the promise of the former leader.
 */
export const DUEL_SCRIPT: Script = function* (scene) {
  yield 300;
  for (;;) {
    const leader = yield* scene.leader();
    const [low, high] = scene.others(leader).sort((a, b) => a - b);
    scene.pass((from, to, message) => {
      if (message.kind !== 'peer') return true;
      if (message.message.kind === 'stand') return false;
      return from !== high || (to === low && ['prepare', 'prepareRefused'].includes(message.message.kind));
    });
    scene.cluster.processes.get(leader)?.releaseAll();
    yield scene.between(15, 50);
    scene.pass(null);
    yield scene.between(10, 40);
    scene.restart(leader);
    yield scene.leaseMs * scene.between(1.5, 2);
  }
};
