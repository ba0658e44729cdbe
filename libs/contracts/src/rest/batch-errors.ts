/** What a batch is refused for as a whole, whatever it is written in. */
import { OperationalError } from '../errors/operational-error.js';
import { REST_LIMITS } from './limits.js';

export interface BatchIssue {
  /** As in `operations.0.key`. */
  readonly field: string;
  readonly message: string;
}

export function invalidBatch(issues: readonly [BatchIssue, ...BatchIssue[]]): OperationalError {
  const list = issues.map(({ field, message }) => `${field}: ${message}`).join('; ');
  const { field } = issues[0];
  return new OperationalError('INVALID_ARGUMENT', `The batch is not valid: ${list}`, { field, issues });
}

export function tooManyOperations(count: number): OperationalError {
  const { batchOperationsMax: operationsMax } = REST_LIMITS;
  const detail = `A batch has at most ${operationsMax} operations; this one has ${count}`;
  return new OperationalError('REQUEST_TOO_LARGE', detail, { operationsMax });
}
