/**
 * Followers that are slow in all that they do: their disks stand still, snapshots take their time to be restored while newer ones come,
 * and leadership is handed to them, wherever they are.
 */
import type { Scene } from '../script.js';
import { type Profile, randomProfile } from '../profile.js';

function* script(scene: Scene): Generator<number, void> {
  const { group, prng } = scene;
  for (;;) {
    yield scene.between(10, 150);
    const leader = yield* scene.leader();
    if (leader === null) continue;
    const [victim = leader] = scene.others(leader);
    const draw = prng.nextBelow(3);
    if (draw === 0) {
      group.process(leader)?.handOver(group.idAt(victim));
    } else if (draw === 1) {
      group.judge.disks.get(victim)?.standStill();
      yield scene.between(10, 250);
      group.judge.disks.get(victim)?.goOn();
    } else {
      const heal = scene.separate([victim], scene.others(victim));
      yield scene.between(50, 250);
      heal();
    }
  }
}

export const slowFollowers: Profile = {
  name: 'slowFollowers',
  about: 'followers whose disks stand still and whose restores take long, and to whom leadership is handed',
  settings: (prng) => {
    const settings = randomProfile.settings(prng);
    const { group, faults, clients } = settings;
    return {
      ...settings,
      group: {
        ...group,
        compactsItself: false,
        snapshotEveryEntries: 5 + prng.nextBelow(20),
        trailingEntries: prng.nextBelow(4),
        restoreMsMax: 20 + prng.nextBelow(150),
      },
      clients: { ...clients, thinkMsMax: 10, mixed: 4, watchers: 1, followers: 1 },
      faults: { ...faults, intensity: faults.intensity / 4 },
    };
  },
  script,
};
