import { type Profile, randomProfile } from '../settings.js';
import { twoCandidates } from './two-candidates.js';
import { figure8 } from './figure-8.js';
import { isolatedLeader } from './isolated-leader.js';
import { longLog } from './long-log.js';

export const steeredProfiles: readonly Profile[] = [isolatedLeader, longLog, twoCandidates, figure8];

export const profiles: readonly Profile[] = [randomProfile, ...steeredProfiles];
