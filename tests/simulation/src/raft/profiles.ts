import { type Profile, randomProfile } from './settings.js';

export const steeredProfiles: readonly Profile[] = [];

export const profiles: readonly Profile[] = [randomProfile, ...steeredProfiles];
