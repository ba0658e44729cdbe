import { type Profile, randomProfile } from '../profile.js';
import { twoCandidates } from './two-candidates.js';
import { figure8 } from './figure-8.js';
import { isolatedLeader } from './isolated-leader.js';
import { longLog } from './long-log.js';
import { lostDisk } from './lost-disk.js';

export const steeredProfiles: readonly Profile[] = [
  isolatedLeader,
  longLog,
  twoCandidates,
  figure8,
  lostDisk,
];

export const profiles: readonly Profile[] = [randomProfile, ...steeredProfiles];
