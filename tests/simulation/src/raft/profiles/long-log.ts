/**
 * A leader cut off from its group goes on to fill its log, while the others elect another one and commit a few entries: the
 * longer log is the poorer one. Then the new leader dies, and the old one comes back.
 */
import type { MemberId } from '@ringleader/primitives';
import { clientsNode } from '../group.js';
import type { Scene } from '../script.js';
import type { Profile } from '../profile.js';
import { base } from '../settings.js';

function* script(scene: Scene): Generator<number, void> {
  for (;;) {
    const old = yield* scene.leader();
    if (old === null) continue;
    yield* fillLogOf(scene, old);
    const next = yield* scene.leader([old]);
    if (next === null) continue;
    const isNextDying = scene.prng.nextBelow(2) === 0;
    if (isNextDying) scene.crash(next);
    scene.group.world.network.healAll();
    yield scene.between(150, 300);
    if (isNextDying) scene.start(next);
    yield scene.between(50, 100);
  }
}

function* fillLogOf(scene: Scene, old: MemberId): Generator<number, void> {
  const { world, judge } = scene.group;
  const others = scene.others(old);
  scene.separate([old], others);
  for (const other of others) world.network.cut(clientsNode, other);
  yield* scene.leader([old]);
  for (const other of others) world.network.heal(clientsNode, other);
  const known = judge.acknowledgedUpTo;
  yield* scene.until(() => (judge.acknowledgedUpTo > known ? true : null), 100);
}

export const longLog: Profile = {
  name: 'longLog',
  about: 'an old leader has more entries than those that were committed without it',
  settings: () => ({
    ...base,
    clients: { ...base.clients, clients: 25, reads: 1, thinkMsMax: 10, timeoutMs: 60 },
  }),
  script,
};
