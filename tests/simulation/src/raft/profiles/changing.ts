import { changes } from '../operator.js';
import { lease } from '../settings.js';
import { type Profile, randomProfile } from '../profile.js';

/** The random profile with a group that changes all the time, and loses disks. */
export const changing: Profile = {
  name: 'changing',
  about: 'members come, go and are replaced all the time, under random faults',
  settings: (prng) => {
    const settings = randomProfile.settings(prng);
    const { faults, group, clients } = settings;
    return {
      ...settings,
      group: {
        ...group,
        spares: 2 + prng.nextBelow(2),
        lease: prng.nextBelow(3) === 0 ? lease : null,
        chunkBytes: 4 * group.chunkBytes,
        compactsItself: false,
        slowExpiryMsMax: 300,
      },
      clients: { ...clients, clients: clients.clients + 3, mixed: 7, watchers: 3 },
      faults: { ...faults, intensity: faults.intensity / (1 + prng.nextBelow(4)) },
    };
  },
  script: changes,
};
