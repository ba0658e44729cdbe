/**
 * A leader that is cut off begins a change, which nobody else hears of, while the others elect another one and go on: what it
 * appended is cut off when it comes back, and the configuration with it.
 */
import type { Change } from '@ringleader/raft';
import type { Scene } from '../script.js';
import type { Profile } from '../profile.js';
import { base } from '../settings.js';

function* script(scene: Scene): Generator<number, void> {
  const { judge } = scene.group;
  for (;;) {
    const old = yield* scene.leader();
    if (old === null) continue;
    const heal = scene.separate([old], scene.others(old));
    scene.group.process(old)?.change(changeOf(scene, old));
    yield* scene.leader([old]);
    const known = judge.acknowledgedUpTo;
    yield* scene.until(() => (judge.acknowledgedUpTo > known ? true : null), 200);
    heal();
    yield scene.between(50, 250);
  }
}

/** Somebody waits at the seat behind those of the founders. */
function changeOf({ group, prng }: Scene, leader: number): Change {
  const seat = group.settings.group.members + 1;
  const member = { id: group.idAt(seat), seat };
  if (prng.nextBelow(2) === 0) return { kind: 'add', member, isPromotedItself: false, replaces: 0 };
  const other = group.process(leader)?.core.configuration.voters.find(({ id }) => id !== leader);
  return { kind: 'remove', id: other?.id ?? leader };
}

export const overtakenChange: Profile = {
  name: 'overtakenChange',
  about: 'a leader begins a change that is cut off with the end of its log',
  settings: () => ({
    ...base,
    group: { ...base.group, members: 5, spares: 1 },
    clients: { ...base.clients, thinkMsMax: 10, timeoutMs: 100 },
  }),
  script,
};
