/**
 * The disk of a leader stands still, without an error, until its process is ended or it goes on: a group that commits without it is
 * to be led by somebody else meanwhile, or what clients hold at the leader ends though all others are well.
 */
import { SimulationFailure } from '@ringleader/testing-simulation';
import type { Scene } from '../script.js';
import type { Profile } from '../profile.js';
import { base } from '../settings.js';

function* script(scene: Scene): Generator<number, void> {
  for (;;) {
    yield scene.between(50, 200);
    const leader = yield* scene.leader();
    const disk = leader === null ? undefined : scene.group.judge.disks.get(leader);
    if (leader === null || disk === undefined) continue;
    disk.standStill();
    if ((yield* scene.leader([leader])) === null) {
      const what = `member ${String(leader)}, whose disk stands still, goes on to lead`;
      throw new SimulationFailure('liveness', what);
    }
    yield scene.between(0, 200);
    if (scene.prng.nextBelow(2) === 0) {
      scene.crash(leader);
      scene.start(leader);
    } else disk.goOn();
  }
}

export const stillDisks: Profile = {
  name: 'stillDisks',
  about: 'the disk of whoever leads stands still, without an error',
  settings: (prng) => ({
    ...base,
    group: {
      ...base.group,
      compactsItself: false,
      members: prng.nextBelow(2) === 0 ? 5 : 3,
      snapshotEveryEntries: 5 + prng.nextBelow(40),
    },
    clients: { ...base.clients, mixed: 4, thinkMsMax: 10, timeoutMs: 100 },
  }),
  script,
};
