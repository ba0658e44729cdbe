import type { OutgoingHttpHeaders } from 'node:http';
import { PROBLEM_MEDIA_TYPE, problemDocument } from '@ringleader/contracts';
import type { RestErrorCode } from '@ringleader/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { respond } from '../http/respond.js';
import type { RestError } from './to-operational-error.js';

/** What is refused for want of room is soon possible again. */
const RETRY_AFTER_SECONDS = 1;
const RETRY_LATER: ReadonlySet<RestErrorCode> = new Set(['RATE_LIMITED', 'OVERLOADED', 'UNAVAILABLE']);

/** The target as it was received, in what a URI reference may hold. */
export function instanceOf(target: string): string {
  return target.replace(/[^\x21-\x7e]/g, (character) => encodeURIComponent(character));
}

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  error: RestError,
  headers: OutgoingHttpHeaders = {},
): void {
  const problem = problemDocument(error.code, error.message, instanceOf(request.originalUrl), error.details);
  const more: OutgoingHttpHeaders = { ...headers, 'Content-Type': PROBLEM_MEDIA_TYPE };
  if (RETRY_LATER.has(error.code)) more['Retry-After'] = RETRY_AFTER_SECONDS;
  if (Array.isArray(problem['allow'])) more['Allow'] = problem['allow'].join(', ');
  // Node reads and drops a body that nobody has begun to read. What is left of another one is not read any more, so the
  // connection cannot be used again.
  if (!request.raw.complete && request.raw.readableDidRead) more['Connection'] = 'close';
  respond(reply, problem.status, more, JSON.stringify(problem));
}
