/** What a granter must not forget while a leader counts on it: scripts after the shortest traces of the model. */
import type { Profile } from '../profile.js';
import { READERS, WRITERS, type Scene, type Script } from '../script.js';
import type { SimMessage } from '../sim-messages.js';
import type { ShardOrdinal } from '@ringleader/primitives';
import { QUICK } from './leases.js';

/**
 * The leader's lease rests on one granter: the third replica was cut off from the leader for longer than a lease, and
 * stands whenever it may. Then `tempt` happens, and the granter hears the rival only.
 */
function loneGranter(
  tempt: (
    scene: Scene,
    leader: ShardOrdinal,
    granter: ShardOrdinal,
    rival: ShardOrdinal,
  ) => Generator<number, void>,
): Script {
  return function* (scene) {
    yield 300;
    for (;;) {
      const leader = yield* scene.leader();
      const [granter, rival] = scene.others(leader);
      if (granter === undefined || rival === undefined) return;
      const healRival = scene.separate([leader, READERS], [rival, WRITERS]);
      yield scene.leaseMs * 1.2;
      yield* tempt(scene, leader, granter, rival);
      const healGranter = scene.separate([leader, READERS], [granter]);
      yield scene.leaseMs * 1.6;
      scene.pass(null);
      healGranter();
      healRival();
      yield scene.between(100, 200);
    }
  };
}

export const RESTARTED_GRANTER: Profile = {
  name: 'restarted-granter',
  about: 'the one granter of a lease restarts, with a rival ready',
  settings: () => QUICK,
  script: loneGranter(function* (scene, _leader, granter) {
    yield scene.between(0, 20);
    scene.restart(granter);
  }),
};

/** After its restart the granter acknowledges the leader's ballot by Confirm only, for no batch gets through. */
export const CONFIRMED_ONLY: Profile = {
  name: 'confirmed-only',
  about: 'a lease that rests on a Confirm, with a rival ready',
  settings: () => QUICK,
  script: loneGranter(function* (scene, leader, granter) {
    scene.pass((from, to, message) => !(from === leader && to === granter && isKind(message, ['accepts'])));
    scene.restart(granter);
    yield scene.leaseMs * scene.between(1.3, 2);
  }),
};

/** The granter and the rival learn of a new epoch, the leader does not. */
export const NEW_EPOCH: Profile = {
  name: 'new-epoch',
  about: 'a lease of the old epoch, peers in the new one',
  settings: () => QUICK,
  script: loneGranter(function* (scene, leader, granter, rival) {
    const { cluster } = scene;
    cluster.withholdMapFrom(leader, scene.leaseMs * 3);
    cluster.map.change(0, { preferredLeader: rival });
    for (const shard of [granter, rival]) cluster.processes.get(shard)?.learnMap(cluster.map.entries());
    yield 0;
  }),
};

/** A deposed leader gets its heartbeats answered again, and hears nothing else. */
export const HEARTBEATS_ONLY: Profile = {
  name: 'heartbeats-only',
  about: 'the grants of a pair run again, while another shard leads the partition',
  settings: () => QUICK,
  script: function* (scene) {
    yield 300;
    for (;;) {
      const leader = yield* scene.leader();
      const others = scene.others(leader);
      const rejoin = scene.separate([leader, READERS], [...others, WRITERS]);
      yield scene.leaseMs * scene.between(1.3, 2);
      rejoin();
      const cutReaders = scene.separate([READERS], [...others, WRITERS]);
      scene.pass(
        (from, to, message) =>
          (from !== leader && to !== leader) || isKind(message, ['heartbeat', 'heartbeatSeen']),
      );
      yield scene.between(40, 100);
      scene.pass(null);
      cutReaders();
      yield scene.between(80, 150);
    }
  },
};

/** A leader hands over to the one that the map prefers, does not hear what happens then, and readers go on asking it. */
export const RELEASED: Profile = {
  name: 'released',
  about: 'a planned handover with readers at the old leader',
  settings: () => QUICK,
  script: function* (scene) {
    yield 300;
    const { map } = scene.cluster;
    for (;;) {
      const leader = yield* scene.leader();
      if (leader === map.entry(0).preferredLeader) {
        scene.restart(leader);
        yield scene.leaseMs * 1.5;
        continue;
      }
      const others = scene.others(leader);
      const cutReaders = scene.separate([READERS], [...others, WRITERS]);
      if (yield* handsOver(scene, leader)) {
        yield scene.between(1, 3);
        const rejoin = scene.separate([leader], [...others, WRITERS]);
        yield scene.leaseMs * scene.between(0.8, 1.2);
        rejoin();
      }
      scene.pass(null);
      cutReaders();
      yield scene.between(40, 100);
    }
  },
};

/** Waits until the leader tells another one to stand, from when on it hears no shard; false where it does not for long. */
function* handsOver(scene: Scene, leader: ShardOrdinal): Generator<number, boolean> {
  let stands = false;
  scene.pass((from, to, message) => {
    stands ||= from === leader && message.kind === 'peer' && message.message.kind === 'stand';
    return !(stands && to === leader && message.kind === 'peer');
  });
  for (let waited = 0; waited < 12 * scene.leaseMs && !stands; waited += 1) yield 1;
  return stands;
}

/** Whatever is not between shards passes. */
function isKind(message: SimMessage, kinds: readonly string[]): boolean {
  return message.kind !== 'peer' || kinds.includes(message.message.kind);
}
