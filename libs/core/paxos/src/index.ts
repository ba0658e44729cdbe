export * from './messages.js';
export * from './paxos-shard.js';
export * from './ready.js';
export * from './records.js';
export * from './requests.js';
export * from './rules/rules.js';
export * from './storage.js';
export * from './rules/quorum.js';
export { comparePositions, makeBallot, ownerOf, roundOf } from './ballot.js';
