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
    const spares = 2 + prng.nextBelow(2);
    const isLeased = prng.nextBelow(3) === 0;
    // Leases rest on clocks that do not stand still while a process runs (docs/OPERATIONS.md).
    const kinds = isLeased ? faults.kinds.filter((kind) => kind !== 'suspend') : faults.kinds;
    return {
      ...settings,
      group: {
        ...group,
        spares,
        lease: isLeased ? lease : null,
        chunkBytes: 4 * group.chunkBytes,
        compactsItself: false,
        slowExpiryMsMax: 300,
      },
      clients: { ...clients, clients: clients.clients + 3, mixed: 7, watchers: 2, followers: 2 },
      faults: { ...faults, kinds, intensity: faults.intensity / (1 + prng.nextBelow(4)) },
    };
  },
  script: changes,
};
