/** Replicas that hear a shard vouch for what they know of its partitions, when it must not, or not to them. */
import type { Profile } from '../profile.js';
import type { RunSettings } from '../settings.js';
import { READERS, WRITERS } from '../script.js';
import { QUICK } from './leases.js';

const BOUNDED_READS: RunSettings = {
  ...QUICK,
  workload: { ...QUICK.workload, mixes: [{ put: 8, delete: 1 }, { boundedRead: 1 }] },
};

/** What the leader sends to a follower is lost for a while; then it hears beats again, and batches only later. */
export const DEAF_FOLLOWER: Profile = {
  name: 'deaf-follower',
  about: 'a follower misses batches and commit points, hears the next beats, and claims how old its rows are',
  settings: () => ({
    ...BOUNDED_READS,
    cluster: {
      ...QUICK.cluster,
      timings: { ...QUICK.cluster.timings, resendIntervalMs: 80 },
    },
  }),
  script: function* (scene) {
    yield 300;
    const { network } = scene.cluster.world;
    for (;;) {
      const leader = yield* scene.leader();
      const [follower, ...rest] = scene.others(leader);
      if (follower === undefined) return;
      const cutReaders = scene.separate([READERS], [leader, ...rest]);
      network.cut(leader, follower);
      yield scene.leaseMs * scene.between(0.3, 0.6);
      const cutWriters = scene.separate([WRITERS], [leader, follower, ...rest]);
      yield 5;
      network.heal(leader, follower);
      yield scene.leaseMs * 0.6;
      cutWriters();
      cutReaders();
      yield scene.between(80, 150);
    }
  },
};

/** A leader passes its partition on and lives; a follower hears it beat, but neither of its leaving nor of its successor. */
export const FORMER_LEADER: Profile = {
  name: 'former-leader',
  about: 'a follower hears only the leader that handed over, and claims how old its rows are',
  settings: () => BOUNDED_READS,
  script: function* (scene) {
    yield 300;
    const { map } = scene.cluster;
    for (;;) {
      const leader = yield* scene.leader();
      const { preferredLeader } = map.entry(0);
      if (leader === preferredLeader) {
        scene.restart(leader);
        yield scene.leaseMs * 1.5;
        continue;
      }
      const follower = scene.others(leader).find((other) => other !== preferredLeader);
      if (follower === undefined) return;
      const cutReaders = scene.separate([READERS], [leader, preferredLeader]);
      let passedOn = false;
      scene.pass((from, to, message) => {
        if (message.kind !== 'peer') return true;
        const { kind } = message.message;
        if (kind === 'released' && to === follower) return false;
        passedOn ||= from === leader && kind === 'stand';
        const pair = [from, to];
        return !(passedOn && pair.includes(preferredLeader) && pair.includes(follower));
      });
      for (let waited = 0; waited < 12 * scene.leaseMs && !passedOn; waited += 1) yield 1;
      if (passedOn) yield scene.leaseMs * scene.between(1, 2);
      scene.pass(null);
      cutReaders();
      yield scene.between(40, 100);
    }
  },
};
