/** Replicas that hear a shard vouch for what they know of its partitions, when it must not, or not to them. */
import type { CommitPoints } from '@ringleader/paxos';
import type { NodeId } from '@ringleader/testing-simulation';
import type { Profile } from '../profile.js';
import type { SimMessage } from '../sim-messages.js';
import type { RunSettings } from '../settings.js';
import { READERS, WRITERS } from '../script.js';
import { QUICK } from './leases.js';

type PeerMessage = Extract<SimMessage, { readonly kind: 'peer' }>;

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

/** How often a late message has to come again until its hearer begins to hear anew, and hears it. */
const LATE_TIMES = 5;

/** Of partition 0 too. */
function tellsAll({ after, points }: CommitPoints): boolean {
  return after === 0 && points.some(({ partition, fresh }) => partition === 0 && fresh);
}

/**
 * As above, of three partitions, and the follower has just started. What it was told first comes again and again, late:
 * it begins to hear anew (docs/PROTOCOL.md 4.12.5) and hears what was so before the partition was passed on.
 */
export const LATE_POINTS: Profile = {
  name: 'late-points',
  about: 'a follower hears the past of a leader that handed over, who goes on to vouch for other partitions',
  settings: () => ({ ...BOUNDED_READS, cluster: { ...BOUNDED_READS.cluster, partitions: 3 } }),
  script: function* (scene) {
    yield 300;
    const { map, world } = scene.cluster;
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
      scene.restart(follower);
      const cutReaders = scene.separate([READERS], [leader, preferredLeader]);
      const told: PeerMessage[] = [];
      let passedOn = false;
      const hears = (from: NodeId, said: PeerMessage): boolean => {
        const { message } = said;
        if (message.kind === 'released') return false;
        if (message.kind !== 'commitPoints' || told.length > 0) return true;
        if (from === leader && tellsAll(message)) told.push(said);
        return told.length > 0;
      };
      scene.pass((from, to, message) => {
        if (message.kind !== 'peer') return true;
        passedOn ||= from === leader && message.message.kind === 'stand';
        if (to === follower && !hears(from, message)) return false;
        const pair = [from, to];
        return !(passedOn && pair.includes(preferredLeader) && pair.includes(follower));
      });
      for (let waited = 0; waited < 12 * scene.leaseMs && !passedOn; waited += 1) yield 1;
      if (passedOn) yield scene.leaseMs * scene.between(1, 2);
      for (let time = 0; time < LATE_TIMES; time += 1) {
        for (const message of told) world.network.send(leader, follower, message);
      }
      yield scene.leaseMs * 0.3;
      scene.pass(null);
      cutReaders();
      yield scene.between(40, 100);
    }
  },
};
