/** Answers everything that is thrown while a request is handled with a problem document. */
import { randomUUID } from 'node:crypto';
import { Catch, NotFoundException } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import { OperationalError } from '@ringleader/contracts';
import type { Logger } from '@ringleader/observability';
import { InvariantError } from '@ringleader/primitives';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { pathOf } from '../kv/request-target.js';
import { sendProblem } from './send-problem.js';
import { toRestError } from './to-operational-error.js';
import type { RestError } from './to-operational-error.js';

/** The methods of every known path; null for a path that is none. */
export type MethodsOfPath = (path: string) => readonly string[] | null;

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
    if (error instanceof InvariantError) throwOutside(error);
    if (reply.sent || reply.raw.headersSent) {
      // A stream that broke off half-way: only a broken connection tells the client that there is more.
      reply.raw.destroy();
      return;
    }
    sendProblem(request, reply, this.restError(error, request));
  }

  private restError(error: unknown, request: FastifyRequest): RestError {
    if (error instanceof NotFoundException) return this.noSuchRoute(request);
    return toRestError(error) ?? this.internalError(error, request);
  }

  private noSuchRoute(request: FastifyRequest): RestError {
    const path = pathOf(request.originalUrl);
    const allow = this.methodsOfPath(pathOf(request.raw.url ?? path));
    if (allow === null) {
      return new OperationalError(
        'ROUTE_NOT_FOUND',
        'There is no resource at this path; /docs lists all of them',
        {
          method: request.method,
        },
      ) as RestError;
    }
    const detail = `This resource has no ${request.method}; it has ${allow.join(', ')}`;
    return new OperationalError('METHOD_NOT_ALLOWED', detail, { method: request.method, allow }) as RestError;
  }

  private internalError(error: unknown, request: FastifyRequest): RestError {
    const id = randomUUID();
    const { method, originalUrl: target } = request;
    this.logger.error({ id, method, target, error }, 'A request failed inside the gateway');
    return new OperationalError('INTERNAL', 'The gateway failed; its log tells more under this id', {
      id,
    }) as RestError;
  }
}

/** A broken invariant ends the process, which NestJS would prevent by catching it. */
function throwOutside(error: InvariantError): void {
  queueMicrotask(() => {
    throw error;
  });
}
