/**
 * What an answer says about the operation (docs/API.md, the table of codes).
 */
import type { RestAnswer } from './rest-client.js';

export type Classification =
  /** It was carried out, or its condition was decided: the answer is a fact. */
  | 'answered'
  /** Nothing was done, for certain. */
  | 'refused'
  /** It may or may not have been done. */
  | 'unknown'
  /** Not an honest answer to a well-formed request: a bug. */
  | 'dishonest';

const REFUSED = new Set(['UNAVAILABLE', 'OVERLOADED', 'RATE_LIMITED', 'DEADLINE_EXCEEDED']);
const ANSWERED = new Set([200, 201, 204, 304, 404, 412]);

export function classify(answer: RestAnswer): Classification {
  if (ANSWERED.has(answer.status)) return answer.code === 'ROUTE_NOT_FOUND' ? 'dishonest' : 'answered';
  if (answer.status === 0 || answer.code === 'OUTCOME_UNKNOWN') return 'unknown';
  return REFUSED.has(answer.code) ? 'refused' : 'dishonest';
}
