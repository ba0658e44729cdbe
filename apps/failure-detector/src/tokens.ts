/** Injection tokens for what is not a class of this app. */
export const CONFIG = Symbol('FailureDetectorConfig');
export const SELF = Symbol('Self');
export const LOGGER = Symbol('Logger');
export const CLOCK = Symbol('Clock');
export const NATS = Symbol('NatsConnection');
export const COORDINATOR = Symbol('CoordinationClient');
export const METRICS = Symbol('Registry');

/** Who this process is. */
export interface Self {
  readonly cluster: string;
  readonly id: string;
  /** A new one for each process. */
  readonly instance: string;
  readonly startedAt: string;
}
