/** What requests of operators, below /v1/cluster, have in common. */
import { emptyRequestSchema } from '@ringleader/contracts';
import type { FastifyRequest } from 'fastify';
import { jsonBody } from '../http/json-body.js';
import { parseQuery, targetOf } from '../http/request-target.js';
import { timeoutMsOf } from '../kv/request-context.js';

const NO_PARAMETERS: readonly string[] = [];

/** Of one without parameters. */
export function optionsOf({ raw, headers }: FastifyRequest): { timeoutMs: number } {
  parseQuery(targetOf(raw).query, NO_PARAMETERS);
  return { timeoutMs: timeoutMsOf(headers) };
}

/** Of one whose path says all: who says more in a body wants something else. `what` begins the sentence of a refusal. */
export function refuseFields(request: FastifyRequest, what: string): void {
  jsonBody(request, emptyRequestSchema, what);
}

/** `NAME:action`: the router knows no parameter that ends before a colon. */
export function nameAndAction(parameter: string): readonly [name: string, action: string | undefined] {
  const [, name = parameter, action] = /^(.*):(.*)$/.exec(parameter) ?? [];
  return [name, action];
}
