/** Answers everything that is thrown while a request is handled with a problem document (RFC 9457). */
import { randomUUID } from 'node:crypto';
import { Catch, HttpException, NotFoundException } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import {
  OperationalError,
  PROBLEM_MEDIA_TYPE,
  REST_ERROR_CODES,
  problemDocument,
} from '@ringleader/contracts';
import type { ErrorDetails, RestErrorCode } from '@ringleader/contracts';
import type { Logger } from '@ringleader/observability';
import { InvariantError } from '@ringleader/primitives';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer } from './answer.js';
import { loggedTarget, targetOf } from './request-target.js';

/** What a problem document is made of. Not always an Error: what is expected costs no stack trace. */
export interface RestError {
  readonly code: RestErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** The methods of every known path; null for a path that is none. */
export type MethodsOfPath = (path: string) => readonly string[] | null;

const REST_CODES: ReadonlySet<string> = new Set(REST_ERROR_CODES);
const CLIENT_ERRORS = { min: 400, max: 499 } as const;

/** What is refused for want of room is soon possible again. */
const RETRY_AFTER_SECONDS = 1;
const RETRY_LATER: ReadonlySet<RestErrorCode> = new Set(['RATE_LIMITED', 'OVERLOADED', 'UNAVAILABLE']);

const REALM = 'Bearer realm="ringleader"';
/** RFC 6750, 3: a request without any token is not told what is wrong with it. */
const CHALLENGES: Readonly<Partial<Record<RestErrorCode, (details: ErrorDetails) => string>>> = {
  UNAUTHENTICATED: ({ reason }) => (reason === 'missing' ? REALM : `${REALM}, error="invalid_token"`),
  FORBIDDEN: () => `${REALM}, error="insufficient_scope"`,
};

export function restError(
  code: RestErrorCode,
  detail: string,
  fields: Readonly<Record<string, unknown>> = {},
): RestError {
  return { code, message: detail, details: fields };
}

export function isRestError(error: unknown): error is OperationalError & RestError {
  return error instanceof OperationalError && REST_CODES.has(error.code);
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: RestError): void {
  const { status, headers, body } = problemAnswer(request.originalUrl, error);
  reply.code(status);
  for (let i = 0; i < headers.length; i += 2) reply.header(String(headers[i]), headers[i + 1]);
  // Node reads and drops a body that nobody has begun to read. What is left of another one is not read any more, so the
  // connection cannot be used again.
  if (!request.raw.complete && request.raw.readableDidRead) reply.header('Connection', 'close');
  void reply.send(body);
}

/** `target` is what the request named, as it was received. */
export function problemAnswer(target: string, { code, message, details }: RestError): Answer {
  const problem = problemDocument(code, message, instanceOf(target), details);
  const headers: (string | number)[] = ['Content-Type', PROBLEM_MEDIA_TYPE];
  if (RETRY_LATER.has(code)) headers.push('Retry-After', RETRY_AFTER_SECONDS);
  if (Array.isArray(problem['allow'])) headers.push('Allow', problem['allow'].join(', '));
  const challenge = CHALLENGES[code]?.(details);
  if (challenge !== undefined) headers.push('WWW-Authenticate', challenge);
  if (details['contentEncoding'] !== undefined) headers.push('Accept-Encoding', 'identity');
  // Bytes: Fastify would add a charset, which this media type does not have.
  return { status: problem.status, headers, body: Buffer.from(JSON.stringify(problem)) };
}

/** The target as it was received, in what a URI reference may hold. */
function instanceOf(target: string): string {
  return target.replace(/[^\x21-\x7e]/g, (character) => encodeURIComponent(character));
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly methodsOfPath: MethodsOfPath,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    if (reply.sent || reply.raw.headersSent) {
      // A stream that broke off half-way: only a broken connection tells the client that there is more.
      reply.raw.destroy();
      return;
    }
    if (error instanceof NotFoundException) sendProblem(request, reply, this.noSuchRoute(request));
    else sendProblem(request, reply, this.restErrorOf(error, request.method, request.originalUrl));
  }

  /** What a client is told of anything that was thrown; what nobody expected is logged. */
  restErrorOf(error: unknown, method: string, target: string): RestError {
    if (error instanceof InvariantError) throwOutside(error);
    return toRestError(error) ?? this.internalError(error, method, target);
  }

  private noSuchRoute({ method: received, raw }: FastifyRequest): RestError {
    // The head of what GET is answered, to the length. There is one wherever there is GET.
    const method = received === 'HEAD' ? 'GET' : received;
    const allow = this.methodsOfPath(targetOf(raw).path);
    if (allow === null) {
      const detail = 'There is no resource at this path; /docs lists all of them';
      return restError('ROUTE_NOT_FOUND', detail, { method });
    }
    const detail = `This resource has no ${method}; it has ${allow.join(', ')}`;
    return restError('METHOD_NOT_ALLOWED', detail, { method, allow });
  }

  private internalError(error: unknown, method: string, target: string): RestError {
    const id = randomUUID();
    this.logger.error(
      { id, method, target: loggedTarget(target), error },
      'A request failed inside the gateway',
    );
    return restError('INTERNAL', 'The gateway failed; its log tells more under this id', { id });
  }
}

/** Null for what nobody expected. */
function toRestError(error: unknown): RestError | null {
  if (isRestError(error)) return error;
  // Errors of the web framework itself carry a status, and a message for the client.
  const status = error instanceof HttpException ? error.getStatus() : statusOf(error);
  if (status === undefined || status < CLIENT_ERRORS.min || status > CLIENT_ERRORS.max) return null;
  const detail = `The request is not valid: ${error instanceof Error ? error.message : 'it cannot be read'}`;
  return restError('INVALID_ARGUMENT', detail, { reason: reasonOf(error) });
}

function reasonOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'unknown';
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : undefined;
}

/** A broken invariant ends the process, which NestJS would prevent by catching it. */
function throwOutside(error: InvariantError): void {
  queueMicrotask(() => {
    throw error;
  });
}
