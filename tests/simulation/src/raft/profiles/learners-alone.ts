/** A leader that the other voters are cut off from, and whose learners hear it: as many as would be a majority if they counted. */
import type { Scene } from '../script.js';
import type { Profile } from '../profile.js';
import { base } from '../settings.js';

const LEARNERS = 2;

function* script(scene: Scene): Generator<number, void> {
  const { group } = scene;
  const learners = group.members.slice(-LEARNERS);
  for (const seat of learners) yield* addLearner(scene, seat);
  for (;;) {
    const leader = yield* scene.leader();
    if (leader === null) continue;
    const heal = scene.separate([leader], scene.others(leader, ...learners));
    yield scene.between(50, 150);
    heal();
    yield scene.between(100, 300);
  }
}

/** Until it has all that was acknowledged. */
function* addLearner(scene: Scene, seat: number): Generator<number, void> {
  const { group } = scene;
  const member = { id: group.idAt(seat), seat };
  for (;;) {
    const leader = yield* scene.leader();
    if (leader !== null)
      group.process(leader)?.change({ kind: 'add', member, isPromotedItself: false, replaces: 0 });
    const hasCome = yield* scene.until(() => {
      const status = scene.status(seat);
      const isLearner = status?.configuration.learners.some(({ id }) => id === member.id) === true;
      return isLearner && status.commitIndex >= group.judge.acknowledgedUpTo ? true : null;
    }, 100);
    if (hasCome !== null) return;
  }
}

export const learnersAlone: Profile = {
  name: 'learnersAlone',
  about: 'a leader hears from its learners, and from no other voter',
  settings: () => ({
    ...base,
    group: { ...base.group, members: 3, spares: LEARNERS },
    clients: { ...base.clients, thinkMsMax: 15, reads: 1, timeoutMs: 60 },
  }),
  script,
};
