import { GOOD_LINK } from '@ringleader/testing-simulation';
import type { Profile } from '../profile.js';
import { isPurgeWord, type Script } from '../script.js';
import { COPIES } from './copies.js';

/**
 * A replica is away for longer than the others wait for it before they purge, also while it is copied to; some of them do not
 * hear how far, and lead next.
 */
const SCRIPT: Script = function* (scene) {
  yield 400;
  for (;;) {
    const leader = yield* scene.leader();
    const [behind, deaf] = scene.others(leader);
    if (behind === undefined || deaf === undefined) return;
    const rest = scene.cluster.shards.filter((shard) => shard !== behind);
    const rejoin = scene.separate([behind], rest);
    if (scene.prng.nextBelow(2) === 0) {
      scene.pass((from, to, message) => to !== deaf || !isPurgeWord(from, message));
    }
    yield scene.between(60, 250);
    if (scene.prng.nextBelow(3) === 0) scene.restart(leader);
    rejoin();
    yield scene.between(0, 60);
    if (scene.prng.nextBelow(2) === 0) {
      const again = scene.separate([behind], rest);
      yield scene.between(60, 160);
      again();
    }
    scene.pass(null);
    yield scene.between(30, 150);
  }
};

/** Of COPIES, what must not fail when tombstones go. */
export const PURGES: Profile = {
  name: 'purges',
  about:
    'tombstones are purged at some replicas, while others miss them, are copied to, or do not hear of it',
  settings: (prng) => {
    const settings = COPIES.settings(prng);
    return {
      ...settings,
      cluster: {
        ...settings.cluster,
        timings: { ...settings.cluster.timings, purgeAfterMs: 40, purgeRestMs: 20 },
        limits: { ...settings.cluster.limits, repairRowsMax: 2 + prng.nextBelow(8) },
      },
      workload: {
        ...settings.workload,
        keysPerPartition: 4 + prng.nextBelow(12),
        mixes: [{ put: 4, delete: 4, read: 1, staleRead: 5 }],
      },
      faults: { ...settings.faults, kinds: [] },
      links: {
        ...GOOD_LINK,
        delayMaxMs: 3,
        tailProbability: 0.1,
        tailDelayMs: 80,
        duplicateProbability: 0.2,
      },
      faultyMs: 4_000,
      lastReads: true,
    };
  },
  script: SCRIPT,
};
