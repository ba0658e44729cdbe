import type { ShardOrdinal } from '@ringleader/primitives';
import type { Profile } from '../profile.js';
import { READERS, WRITERS, type Scene, type Script } from '../script.js';
import { QUICK } from './leases.js';

/** What QUICK's lease allows for, and more than a quarter of what it allows for drift. */
const SHORT_STOP_MS = 2.2;
const SHORT_STOPS = 16;
const LONG_STOP_MS = 23;

/** The leader is cut off with its readers, and its clock stands still: often and shortly, or once and longer. */
const STOPS: Script = function* (scene) {
  yield 300;
  for (;;) {
    const leader = yield* scene.leader();
    yield scene.between(0, 40);
    const rejoin = scene.separate([leader, READERS], [...scene.others(leader), WRITERS]);
    if (scene.prng.nextBelow(2) === 0) {
      yield* stop(scene, leader, LONG_STOP_MS);
    } else {
      for (let count = 0; count < SHORT_STOPS; count += 1) {
        yield* stop(scene, leader, SHORT_STOP_MS);
        yield 2;
      }
    }
    yield scene.leaseMs;
    rejoin();
    yield scene.between(80, 150);
  }
};

function* stop(scene: Scene, shard: ShardOrdinal, durationMs: number): Generator<number, void> {
  const node = scene.cluster.world.node(shard);
  node.pause();
  node.clock.suspend();
  yield durationMs;
  node.clock.resume();
  node.resume();
}

export const SHORT_OF_A_JUMP: Profile = {
  name: 'short-of-a-jump',
  about: 'the clock of a leader that is cut off stands still for a moment, or for many',
  settings: () => QUICK,
  script: STOPS,
};

/**
 * The leader stops at the very reading with which it has just stamped a heartbeat. The answer waits for it, until long after
 * the grant has ended.
 */
const STOPPED_AT_STAMP: Script = function* (scene) {
  yield 300;
  for (;;) {
    const leader = yield* scene.leader();
    const node = scene.cluster.world.node(leader);
    let isStopped = false;
    scene.pass((from, _to, message) => {
      if (from !== leader || message.kind !== 'peer' || message.message.kind !== 'heartbeat') return true;
      if (!isStopped) {
        isStopped = true;
        node.pause();
        node.clock.suspend();
      }
      return true;
    });
    for (let waited = 0; waited < scene.leaseMs && !isStopped; waited += 1) yield 1;
    yield scene.leaseMs * scene.between(1.2, 1.6);
    const rejoin = scene.separate([leader, READERS], [...scene.others(leader), WRITERS]);
    scene.pass(null);
    if (isStopped) {
      node.clock.resume();
      node.resume();
    }
    yield scene.leaseMs;
    rejoin();
    yield scene.between(80, 150);
  }
};

export const STOPPED_LEADER: Profile = {
  name: 'stopped-leader',
  about: 'the clock of a leader stands still from the reading of its last stamp on',
  settings: () => QUICK,
  script: STOPPED_AT_STAMP,
};
