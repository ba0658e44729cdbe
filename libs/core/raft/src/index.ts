export * from './codec/frame-codec.js';
export * from './config.js';
export * from './messages.js';
export type { ProposeResult } from './proposals/propose.js';
export * from './quorum.js';
export * from './raft-member.js';
export * from './ready.js';
export * from './rules.js';
export * from './types.js';
