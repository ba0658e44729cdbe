/** Injection tokens for what is not a class of this app. */
export const CONFIG = Symbol('CoordinatorConfig');
export const LOGGER = Symbol('Logger');
export const CLOCK = Symbol('Clock');
export const NATS = Symbol('NatsLinks');
export const RAFT = Symbol('RaftNode');
export const METRICS = Symbol('Registry');
