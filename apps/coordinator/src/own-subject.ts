import { coordinatorSubject } from '@ringleader/contracts';
import type { CoordinatorOperation } from '@ringleader/contracts';
import type { CoordinatorConfig } from './coordinator.config.js';

/** Where this member is asked for an operation. */
export function ownSubject(config: CoordinatorConfig, operation: CoordinatorOperation): string {
  return coordinatorSubject(config.RINGLEADER_CLUSTER, config.RINGLEADER_COORDINATOR_ID, operation);
}
