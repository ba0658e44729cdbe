import { BASE, type Profile } from '../profile.js';
import { LIMITS } from '../settings.js';

export const SLOW_ROWS: Profile = {
  name: 'slow-rows',
  about:
    'rows travel slower than they are written, and are lost when they wait too long; short messages pass them',
  settings: (prng) => ({
    ...BASE,
    // A copy takes a while then.
    recoveryMs: 20_000,
    cluster: {
      ...BASE.cluster,
      partitions: 1 + prng.nextBelow(3),
      limits: {
        ...LIMITS,
        repairRowsMax: 2 + prng.nextBelow(6),
        batchRowsMax: 1 + prng.nextBelow(6),
        peerBacklogBytesMax: 256 << prng.nextBelow(4),
        transactionBytesMax: 512 << prng.nextBelow(4),
      },
      rowPace: {
        bytesPerMs: 4 + prng.nextBelow(6),
        longBytes: 100 + prng.nextBelow(400),
        giveUpMs: 40 + prng.nextBelow(200),
      },
    },
    workload: {
      ...BASE.workload,
      clients: 4 + prng.nextBelow(4),
      keysPerPartition: 4 + prng.nextBelow(12),
      thinkMsMax: 3 + prng.nextBelow(20),
      mixes: [{ put: 6, delete: 2, conditional: 3, read: 3, staleRead: 2, scan: 1 }],
      valueBytesMax: 300,
    },
    faults: {
      ...BASE.faults,
      kinds: ['crash', 'pause', 'badLinks', 'slowStorage', 'oneWay'],
      intensity: prng.nextFloat() * 2,
      durationMaxMs: 100 + prng.nextFloat() * 400,
      plannedRestartMs: prng.nextBelow(2) === 0 ? 0 : 700,
    },
  }),
};
