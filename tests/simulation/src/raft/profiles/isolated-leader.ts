/**
 * A leader that was stopped for a while and then goes on, cut off from the others, which have elected another: it still
 * believes in itself, and a read there is as old as its isolation.
 */
import type { Scene } from '../script.js';
import type { Profile } from '../profile.js';
import { base, lease } from '../settings.js';

function* script(scene: Scene): Generator<number, void> {
  const { world, judge } = scene.group;
  for (;;) {
    const old = yield* scene.leader();
    if (old === null) continue;
    const others = scene.others(old);
    const heal = scene.separate([old], others);
    world.node(old).pause();
    yield* scene.leader([old]);
    const known = judge.acknowledgedUpTo;
    yield* scene.until(() => (judge.acknowledgedUpTo > known ? true : null), 200);
    world.node(old).resume();
    yield scene.between(10, 60);
    heal();
    yield scene.between(50, 150);
  }
}

export const leasedLeader: Profile = {
  name: 'leasedLeader',
  about: 'the same where leaders read by a lease',
  settings: (prng) => {
    const settings = isolatedLeader.settings(prng);
    return { ...settings, group: { ...settings.group, lease } };
  },
  script,
};

export const isolatedLeader: Profile = {
  name: 'isolatedLeader',
  about: 'a leader wakes up, cut off, while another one leads',
  settings: () => ({ ...base, clients: { ...base.clients, clients: 6, thinkMsMax: 10, timeoutMs: 100 } }),
  script,
};
