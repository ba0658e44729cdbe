import type { ShardOrdinal } from '@ringleader/primitives';
import type { Profile } from '../profile.js';
import { READERS, WRITERS, type Script } from '../script.js';
import { QUICK } from './leases.js';

/** Its monotonic clock stood still meanwhile: nothing that it counted on before says anything about now (4.4.6). */
const SCRIPT: Script = function* (scene) {
  yield 300;
  const { shards, world } = scene.cluster;
  for (;;) {
    const leader = yield* scene.leader();
    const shard = shards[scene.prng.nextBelow(shards.length)] as ShardOrdinal;
    const node = world.node(shard);
    yield scene.between(0, 40);
    node.pause();
    node.clock.suspend();
    yield scene.leaseMs * scene.between(1, 3);
    // It hears nobody for a while but its readers.
    const rejoin = scene.separate([shard, READERS], [...shards.filter((other) => other !== shard), WRITERS]);
    node.clock.resume();
    node.resume();
    yield scene.between(10, 60);
    rejoin();
    yield shard === leader ? scene.between(80, 150) : scene.between(20, 60);
  }
};

export const SUSPENDED: Profile = {
  name: 'suspended',
  about: 'machines are suspended with their clocks, and asked for fresh rows when they come back',
  settings: () => ({
    ...QUICK,
    workload: {
      ...QUICK.workload,
      mixes: [
        { put: 8, delete: 1 },
        { read: 1, boundedRead: 3 },
      ],
    },
  }),
  script: SCRIPT,
};
