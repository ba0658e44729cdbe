/**
 * Leaderships that come and go faster than leases: what a leader has begun to end may come back with it, when somebody else has
 * renewed it meanwhile.
 */
import type { Scene } from '../script.js';
import type { Profile } from '../profile.js';
import { base } from '../settings.js';

function* script(scene: Scene): Generator<number, void> {
  for (;;) {
    const leader = yield* scene.leader();
    yield scene.between(10, 80);
    if (leader !== null) scene.group.process(leader)?.handOver();
    yield scene.between(5, 15);
  }
}

export const leaseHandOvers: Profile = {
  name: 'leaseHandOvers',
  about: 'leaderships are handed over faster than leases run out, and ends of leases are slow',
  settings: () => ({
    ...base,
    group: { ...base.group, compactsItself: false, slowExpiryMsMax: 200 },
    clients: {
      ...base.clients,
      clients: 8,
      mixed: 10,
      leases: { ttlMinMs: 40, ttlSpreadMs: 40, renewals: 12, namesakes: 0 },
      thinkMsMax: 10,
      timeoutMs: 100,
    },
    faultyMs: 3_000,
  }),
  script,
};

export const leaseNamesakes: Profile = {
  name: 'leaseNamesakes',
  about: 'ids of leases are given again while the ends of those that had them are under way',
  settings: (prng) => {
    const settings = leaseHandOvers.settings(prng);
    const { clients } = settings;
    return { ...settings, clients: { ...clients, leases: { ...clients.leases, namesakes: 40 } } };
  },
};
