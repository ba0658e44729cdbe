/**
 * A member that alone has, beside the leader, what was acknowledged loses its disk and comes back empty, while the leader is
 * away: with the third member, which has missed it all, it is a majority of names, and knows nothing.
 */
import type { Scene } from '../script.js';
import type { Profile } from '../profile.js';
import { base } from '../settings.js';

function* script(scene: Scene): Generator<number, void> {
  const { judge, world } = scene.group;
  yield scene.between(50, 300);
  const leader = yield* scene.leader();
  if (leader === null) return;
  const [victim, absent] = scene.others(leader);
  if (victim === undefined || absent === undefined) return;
  scene.separate([absent], [leader, victim]);
  const known = judge.acknowledgedUpTo;
  yield* scene.until(() => (judge.acknowledgedUpTo > known + 2 ? true : null));
  const isCrash = scene.prng.nextBelow(2) === 0;
  scene.crash(victim);
  if (isCrash) scene.crash(leader);
  scene.group.loseDisk(victim);
  world.network.healAll();
  if (!isCrash) scene.separate([leader], [victim, absent]);
  yield scene.between(0, 50);
  scene.start(victim);
  yield scene.between(200, 600);
  world.network.healAll();
  scene.start(leader);
}

export const lostDisk: Profile = {
  name: 'lostDisk',
  about: 'a member loses its disk, and comes back while nobody who knows better can be reached',
  settings: () => ({ ...base, clients: { ...base.clients, thinkMsMax: 10, timeoutMs: 100 } }),
  script,
};
