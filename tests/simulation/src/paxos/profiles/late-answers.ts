import type { Profile } from '../profile.js';
import type { SimMessage } from '../sim-messages.js';
import { QUICK } from './leases.js';

/** A leader restarts, leads again, and hears only the answers to what it sent in its former life. */
export const LATE_ANSWERS: Profile = {
  name: 'late-answers',
  about: 'answers to the batches of a leader before its restart come late, while nobody hears its batches',
  settings: () => QUICK,
  script: function* (scene) {
    const { map, world } = scene.cluster;
    for (;;) {
      const leader = map.entry(0).preferredLeader;
      const others = scene.others(leader);
      const answers: (() => void)[] = [];
      const keep = (from: number, to: number, message: SimMessage): boolean => {
        if (message.kind === 'peer' && message.message.kind === 'acceptsSeen' && to === leader) {
          answers.push(() => {
            world.network.send(from, to, message);
          });
        }
        return true;
      };
      scene.restart(leader);
      scene.pass(keep);
      while ((yield* scene.leader()) !== leader) yield 5;
      yield scene.between(30, 60);
      scene.pass(null);
      scene.restart(leader);
      while ((yield* scene.leader()) !== leader) yield 1;
      for (const other of others) world.network.cut(leader, other);
      for (let time = 0; time < 5; time += 1) {
        for (const answer of answers) answer();
        yield scene.leaseMs * 0.1;
      }
      scene.restart(leader);
      yield scene.leaseMs * 2;
      for (const other of others) world.network.heal(leader, other);
      yield scene.between(50, 100);
    }
  },
};
