export * from './coordination-client.js';
export * from './member-registration.js';
export * from './metadata.js';
export * from './partition-map-mirror.js';
export * from './prefix-mirror.js';
export { type AdmissionVerdict, type DatabaseIdentity, admitDatabase } from './shard-admission.js';
export * from './shard-registration.js';
export * from './verdict-mirror.js';
export * from './watch-client.js';
