/** Injection tokens for what is not a class of this app. */
export const CONFIG = Symbol('ShardConfig');
export const LOGGER = Symbol('Logger');
export const NATS = Symbol('NatsConnection');
export const METRICS = Symbol('Registry');
