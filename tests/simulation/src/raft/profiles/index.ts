import { type Profile, randomProfile } from '../profile.js';
import { overtakenChange } from './overtaken-change.js';
import { failingDisks } from './failing-disks.js';
import { changing } from './changing.js';
import { twoCandidates } from './two-candidates.js';
import { figure8 } from './figure-8.js';
import { isolatedLeader, leasedLeader } from './isolated-leader.js';
import { leaseHandOvers, leaseNamesakes } from './lease-hand-overs.js';
import { learnersAlone } from './learners-alone.js';
import { longLog } from './long-log.js';
import { lostDisk } from './lost-disk.js';
import { slowFollowers } from './slow-followers.js';
import { stillDisks } from './still-disks.js';
import { unevenSnapshots } from './uneven-snapshots.js';

export const steeredProfiles: readonly Profile[] = [
  isolatedLeader,
  leasedLeader,
  longLog,
  twoCandidates,
  figure8,
  lostDisk,
  overtakenChange,
  leaseHandOvers,
  failingDisks,
  leaseNamesakes,
  learnersAlone,
  unevenSnapshots,
  stillDisks,
  slowFollowers,
];

export const profiles: readonly Profile[] = [randomProfile, changing, ...steeredProfiles];
