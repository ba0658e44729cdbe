/**
 * What every provider of a service may ask for by its type. NestJS injects by classes only, so what is an interface or
 * comes from a factory has an abstract class here that stands for it.
 */
import type { Coordinator, CoordinatorGroup } from '@ringleader/coordination';
import type { Logger } from '@ringleader/observability';
import type { Clock } from '@ringleader/primitives';
import type { Service } from '@ringleader/contracts';
import type { FatalErrors } from './fatal-errors.js';
import type { Health } from './health.js';

/** A class to name `T` by: `export abstract class MyConfig extends injectable<z.infer<typeof schema>>() {}`. */
export function injectable<T extends object>(): abstract new () => T {
  return Object as unknown as abstract new () => T;
}

export abstract class ServiceLogger extends injectable<Logger>() {}
export abstract class ServiceClock extends injectable<Clock>() {}
/** The coordinators, for who calls and follows them; tests have a twin. */
export abstract class Coordination extends injectable<Coordinator & CoordinatorGroup>() {}

/** How a service tells of itself. */
export abstract class HostSigns {
  abstract readonly logger: Logger;
  abstract readonly health: Health;
  abstract readonly fatal: FatalErrors;
}

/** Of the time between the signal and the end. */
export abstract class StopBudget {
  /** For handing over what the process leads, which comes first. */
  abstract readonly handOverMs: number;
}

/** Who this process is. */
export abstract class Self {
  abstract readonly cluster: string;
  abstract readonly service: Service;
  abstract readonly id: string;
  /** A new one for each process: tells a restart from a pause. */
  abstract readonly instance: string;
  abstract readonly startedAt: string;
  /** Where others can probe it: host:port, '' when it has no probes. */
  abstract readonly address: string;
}
