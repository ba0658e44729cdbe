/**
 * Stands before every handler, those past the web framework (kv/hot-keys.ts) too: who calls, whether they may, whether it is
 * not too often, and a line in the log for what is refused or administrative.
 */
import type { ServerResponse } from 'node:http';
import { OperationalError } from '@ringleader/contracts';
import type { Logger } from '@ringleader/observability';
import { invariant } from '@ringleader/primitives';
import type { Clock } from '@ringleader/primitives';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from '../http/problem.filter.js';
import type { ProblemFilter, RestError } from '../http/problem.filter.js';
import { isApi, keyOf, targetOf } from '../http/request-target.js';
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
const TARGET_LENGTH_LOGGED = 2_048;
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

  /** Behind the checks of heads, before anything is done for a request. */
  stand(fastify: FastifyInstance, filter: ProblemFilter): void {
    fastify.addHook('onRequest', (request, reply, done) => {
      const access = accessTo(request);
      if (access.kind === 'open') {
        done();
        return;
      }
      const refuse = (error: unknown): void => filter.answer(error, request, reply);
      const admit = (caller: Caller): void => {
        const refusal = this.refusal(caller, access, request);
        if (refusal !== null) return sendProblem(request, reply, refusal);
        this.follow(caller, reply.raw);
        done();
      };
      try {
        const caller = this.options.authenticator?.authenticate(request.headers.authorization) ?? ANYBODY;
        if (caller instanceof Promise) caller.then(admit).catch(refuse);
        else admit(caller);
      } catch (error) {
        refuse(error);
      }
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

  private refusal(caller: Caller, access: Access, { raw, is404 }: FastifyRequest): RestError | null {
    markCaller(raw, caller);
    try {
      if (caller.bucket !== null && !caller.bucket.take(this.options.clock.monotonicMs())) {
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

  private follow({ id, expiresAtMs }: Caller, response: ServerResponse): void {
    if (id === ANYBODY.id) return;
    const streams = this.streams.get(id) ?? new Set();
    this.streams.set(id, streams.add(response));
    const leftMs = expiresAtMs - this.options.clock.wallMs();
    const timer = leftMs > WAIT_MS_MAX ? undefined : setTimeout(() => cut(response), leftMs).unref();
    response.once('close', () => {
      clearTimeout(timer);
      streams.delete(response);
      if (streams.size === 0 && this.streams.get(id) === streams) this.streams.delete(id);
    });
  }

  /** Who, from where, what, and what it came to: no value, and no secret. */
  private audit(request: FastifyRequest, { statusCode: status }: FastifyReply): void {
    const access = accessTo(request);
    const isAdministrative = access.kind !== 'open' && access.role === 'admin';
    if (!isAdministrative && status !== 401 && status !== 403) return;
    const { id = null, name = null } = knownCaller(request.raw) ?? {};
    const { ip: from, method, originalUrl } = request;
    const target = originalUrl.slice(0, TARGET_LENGTH_LOGGED);
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
