import { GOOD_LINK } from '@ringleader/testing-simulation';
import type { Profile } from '../profile.js';
import type { Scene, Script } from '../script.js';
import { COPIES } from './copies.js';

/** Replicas purge one after another, are cut off, and lead by turns; some of them miss what is past a purge point. */
const SCRIPT: Script = function* (scene) {
  yield 400;
  for (;;) {
    const leader = yield* scene.leader();
    const others = scene.others(leader);
    const [behind] = others;
    if (behind === undefined) return;
    const rest = scene.cluster.shards.filter((shard) => shard !== behind);
    const rejoin = scene.separate([behind], rest);
    yield scene.between(40, 200);
    yield* purgeSome(scene, rest);
    rejoin();
    yield scene.between(0, 60);
    if (scene.prng.nextBelow(2) === 0) yield* purgeSome(scene, scene.cluster.shards);
    yield scene.between(30, 150);
  }
};

/** A purge takes a restart here: the core has no order for it yet, so it happens below its feet. */
function* purgeSome(scene: Scene, shards: readonly number[]): Generator<number, void> {
  for (const shard of shards) {
    if (scene.prng.nextBelow(2) === 0) continue;
    scene.purge(shard);
    yield scene.between(5, 60);
  }
}

/** Of COPIES, what must not fail when tombstones go. */
export const PURGES: Profile = {
  name: 'purges',
  about: 'tombstones are purged at some replicas, while others miss them or are copied to',
  settings: (prng) => {
    const settings = COPIES.settings(prng);
    return {
      ...settings,
      cluster: {
        ...settings.cluster,
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
