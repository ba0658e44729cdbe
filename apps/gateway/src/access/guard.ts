/**
 * Stands before every handler, those past the web framework (kv/hot-keys.ts) too: who calls, whether they may, whether it is
 * not too often, and a line in the log for what is refused or administrative.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { OperationalError } from '@ringleader/contracts';
import type { Logger } from '@ringleader/observability';
import { invariant } from '@ringleader/primitives';
import type { Clock } from '@ringleader/primitives';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SAFE_METHODS } from '../http/connection.js';
import { sendProblem } from '../http/problem.filter.js';
import type { ProblemFilter, RestError } from '../http/problem.filter.js';
import { isApi, keyOf, loggedTarget, targetOf } from '../http/request-target.js';
import { ANY_CALLER, OPEN, accessOf } from './access.js';
import type { Access } from './access.js';
import type { Authenticator } from './authenticator.js';
import {
  almighty,
  callerOf,
  isSettled,
  knownCaller,
  markCaller,
  requireKey,
  requirePrefix,
} from './caller.js';
import type { Caller } from './caller.js';
import { allowsPrefix } from '@ringleader/contracts';
import type { Role } from '@ringleader/contracts';

export interface GuardOptions {
  /** Null: whoever reaches this gateway may do everything. */
  readonly authenticator: Authenticator | null;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info'>;
}

const ANYBODY = almighty('anonymous');
const AUDITED_REFUSALS: ReadonlySet<number> = new Set([401, 403]);
/** Of setTimeout. */
const WAIT_MS_MAX = 2_147_483_647;

export class Guard {
  /** What is being answered at length, by whose token. */
  private readonly streams = new Map<string, Set<ServerResponse>>();

  constructor(private readonly options: GuardOptions) {}

  /** Called for each route as it is made. */
  checkRoute(route: Parameters<typeof accessOf>[0]): void {
    invariant(accessOf(route) !== null, `${String(route.method)} ${route.url} declares no access`);
  }

  /** For a request past the framework. False: it goes the framework's way, where it is refused, or asked more about. */
  letsPass(header: string | undefined, role: Role, key: string): boolean {
    const { authenticator, clock } = this.options;
    if (authenticator === null) return true;
    const caller = header === undefined ? null : authenticator.recall(header);
    if (caller === null || !allowsPrefix(caller.grants, role, key)) return false;
    return caller.bucket?.take(clock.monotonicMs()) ?? true;
  }

  /**
   * Once more for one that was let pass, when its body is there: that may have come slowly, and the token be none any more.
   * Throws what is to be answered.
   */
  letsGoOn(
    message: IncomingMessage,
    header: string | undefined,
    role: Role,
    key: string,
  ): void | Promise<void> {
    const { authenticator } = this.options;
    if (authenticator === null) return;
    const known = header === undefined ? null : authenticator.recall(header);
    if (known !== null && allowsPrefix(known.grants, role, key)) return;
    const look = async (): Promise<void> => {
      const caller = await authenticator.authenticate(header);
      markCaller(message, caller);
      requireKey(caller, role, key);
    };
    return look().catch((error: unknown) => {
      const { method = '', url = '', socket } = message;
      const status = error instanceof OperationalError ? error.entry.httpStatus : null;
      if (status !== null && AUDITED_REFUSALS.has(status))
        this.log(knownCaller(message), { from: socket.remoteAddress, method, url }, status);
      throw error;
    });
  }

  /** Behind the checks of heads, before anything is done for a request; and when its body is there. */
  stand(fastify: FastifyInstance, filter: ProblemFilter): void {
    fastify.addHook('onRequest', (request, reply, done) => {
      const access = accessTo(request);
      if (access.kind === 'open') {
        done();
        return;
      }
      this.identify(request, reply, filter, (caller) => {
        const refusal = this.refusal(caller, access, request, true);
        if (refusal !== null) return sendProblem(request, reply, refusal);
        // Asking may have taken a while. Of who has gone meanwhile nothing that waits for the end of the answer would hear.
        if (reply.raw.closed) return;
        this.follow(caller, reply.raw);
        done();
      });
    });
    // A body may come slowly: meanwhile its token may have been revoked, or have expired.
    fastify.addHook('preHandler', (request, reply, done) => {
      const access = accessTo(request);
      if (access.kind === 'open' || SAFE_METHODS.has(request.method)) {
        done();
        return;
      }
      this.identify(request, reply, filter, (caller) => {
        const refusal = this.refusal(caller, access, request, false);
        if (refusal !== null) return sendProblem(request, reply, refusal);
        done();
      });
    });
    fastify.addHook('onSend', (request, reply, payload, done) => {
      const isUnasked =
        accessTo(request).kind === 'request' && reply.statusCode < 400 && !isSettled(request.raw);
      // A bug of the handler, which must not become anybody's way in.
      if (isUnasked) done(new Error('A handler answered without asking what its caller may'));
      else done(null, payload);
    });
    fastify.addHook('onResponse', (request, reply, done) => {
      this.audit(request, reply);
      done();
    });
  }

  /** Of tokens that are no more: what is being answered to them ends where it is. */
  revoke(ids: readonly string[]): void {
    for (const response of ids.flatMap((id) => [...(this.streams.get(id) ?? [])])) cut(response);
  }

  private identify(
    request: FastifyRequest,
    reply: FastifyReply,
    filter: ProblemFilter,
    then: (caller: Caller) => void,
  ): void {
    const refuse = (error: unknown): void => filter.answer(error, request, reply);
    try {
      const caller = this.options.authenticator?.authenticate(request.headers.authorization) ?? ANYBODY;
      if (caller instanceof Promise) caller.then(then).catch(refuse);
      else then(caller);
    } catch (error) {
      refuse(error);
    }
  }

  private refusal(
    caller: Caller,
    access: Access,
    { raw, is404 }: FastifyRequest,
    isCounted: boolean,
  ): RestError | null {
    markCaller(raw, caller);
    try {
      if (isCounted && caller.bucket !== null && !caller.bucket.take(this.options.clock.monotonicMs())) {
        throw tooOften(caller.bucket.perSecond);
      }
      if (is404) callerOf(raw);
      else if (access.kind === 'key') requireKey(callerOf(raw), access.role, keyOf(targetOf(raw)));
      else if (access.kind === 'cluster') requirePrefix(callerOf(raw), access.role, '');
      return null;
    } catch (error) {
      if (error instanceof OperationalError) return error as RestError;
      throw error;
    }
  }

  private follow({ id, records, expiresAtMs }: Caller, response: ServerResponse): void {
    if (id === ANYBODY.id) return;
    const ids = records.length === 0 ? [id] : records;
    for (const one of ids) this.streams.set(one, (this.streams.get(one) ?? new Set()).add(response));
    const leftMs = expiresAtMs - this.options.clock.wallMs();
    const timer = leftMs > WAIT_MS_MAX ? undefined : setTimeout(() => cut(response), leftMs).unref();
    response.once('close', () => {
      clearTimeout(timer);
      for (const one of ids) {
        const streams = this.streams.get(one);
        streams?.delete(response);
        if (streams?.size === 0) this.streams.delete(one);
      }
    });
  }

  /** Who, from where, what, and what it came to: no value, and no secret. */
  private audit(request: FastifyRequest, { statusCode: status }: FastifyReply): void {
    const access = accessTo(request);
    const isAdministrative = access.kind !== 'open' && access.role === 'admin';
    if (!isAdministrative && !AUDITED_REFUSALS.has(status)) return;
    const { ip: from, method, originalUrl: url } = request;
    this.log(knownCaller(request.raw), { from, method, url }, status);
  }

  private log(
    caller: Caller | null,
    {
      from,
      method,
      url,
    }: { readonly from: string | undefined; readonly method: string; readonly url: string },
    status: number,
  ): void {
    const { id = null, name = null } = caller ?? {};
    const target = loggedTarget(url);
    this.options.logger.info({ audit: true, token: id, name, from, method, target, status }, 'Audit');
  }
}

function accessTo({ is404, raw, routeOptions }: FastifyRequest): Access {
  if (is404) return isApi(targetOf(raw)) ? ANY_CALLER : OPEN;
  const { url = '', method, config } = routeOptions;
  const access = accessOf({ url, method, config });
  invariant(access !== null, 'no route is served that declares no access');
  return access;
}

/** An answer that has not begun yet is a short one, and says what became of the request. */
function cut(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
}

function tooOften(requestsPerSecond: number): OperationalError {
  const detail = `This token is for ${requestsPerSecond} requests a second at each gateway`;
  return new OperationalError('RATE_LIMITED', detail, { requestsPerSecond });
}
