/** Members compact all that they have, each at another index, since each is restarted now and then: what follows stands on a snapshot here, and on entries there. */
import type { Scene } from '../script.js';
import type { Profile } from '../profile.js';
import { base } from '../settings.js';

function* script(scene: Scene): Generator<number, void> {
  for (;;) {
    yield scene.between(20, 120);
    const [member] = scene.others();
    if (member === undefined) return;
    scene.crash(member);
    yield scene.between(5, 60);
    scene.start(member);
  }
}

export const unevenSnapshots: Profile = {
  name: 'unevenSnapshots',
  about: 'each member compacts all that it has, at an index of its own',
  settings: (prng) => ({
    ...base,
    group: { ...base.group, snapshotEveryEntries: 3 + prng.nextBelow(4), trailingEntries: 0 },
    clients: { ...base.clients, clients: 2, reads: 2, thinkMsMax: 30, timeoutMs: 60 },
  }),
  script,
};
