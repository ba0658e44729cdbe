/** Disks with one rule broken of what is taken for granted about them. */
import type { Control } from './controls.js';
import { failingDisks } from './profiles/failing-disks.js';

const rules = {};
const profile = failingDisks;

export const diskControls: readonly Control[] = [
  {
    name: 'AckBeforeSync',
    broken: 'what is written and not yet synced counts as being on disk',
    rules,
    disks: { counts: () => true },
    caughtBy: 'durability',
    profile,
  },
  {
    name: 'AckAlthoughFull',
    broken: 'a batch for which the disk has no room counts as written',
    rules,
    disks: { isTaken: () => true },
    caughtBy: 'durability',
    profile,
  },
  {
    name: 'GoOnAfterFailedSync',
    broken: 'a member goes on after a sync that failed, as if the next one made up for it',
    rules,
    disks: { goesOn: () => true },
    caughtBy: 'durability',
    profile,
  },
  {
    name: 'CutSnapshotCounts',
    broken: "a snapshot's file of which a crash left the first half is taken for a snapshot",
    rules,
    disks: { isSnapshot: () => true },
    caughtBy: 'whole snapshots',
    profile,
  },
];
