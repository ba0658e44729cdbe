/**
 * A control message, declared once: server handlers and client calls take their types from it, so that a handler of the
 * wrong shape does not compile. Hot messages have a binary codec instead (data-path/).
 */
import type { z } from 'zod';
import type { ErrorCode } from './errors/catalogue.js';
import { SERVICES } from './metadata/cluster-metadata.js';
import type { Service } from './metadata/cluster-metadata.js';

/** How long a caller is prepared to wait: `quick` for look-ups, `commit` for what needs a majority, `poll` for long polls. */
export type DeadlineClass = 'quick' | 'commit' | 'poll';

export const DEADLINE_MS: Readonly<Record<DeadlineClass, number>> = {
  quick: 2_000,
  commit: 5_000,
  poll: 30_000,
};

export const ANY_MEMBER: readonly Service[] = SERVICES;
/** People, through a gateway, and the operator of Kubernetes. */
export const OPERATORS: readonly Service[] = ['gateway', 'operator'];

export interface MessageContract<
  Request extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
> {
  /** The last token of the subject. */
  readonly operation: string;
  /** Who may ask: the server refuses all others (FORBIDDEN) before it looks at the request. NATS vouches for who asks. */
  readonly askers: readonly Service[];
  readonly request: Request;
  readonly response: Response;
  /** What may come back instead of a response, besides INTERNAL, INVALID_ARGUMENT and FORBIDDEN (askers). */
  readonly errors: readonly ErrorCode[];
  readonly deadline: DeadlineClass;
}

export type RequestOf<C extends MessageContract> = z.infer<C['request']>;
export type ResponseOf<C extends MessageContract> = z.infer<C['response']>;

export function mayAsk({ askers }: MessageContract, { service }: { readonly service: Service }): boolean {
  return askers.includes(service);
}

export function messageContract<Request extends z.ZodType, Response extends z.ZodType>(
  contract: MessageContract<Request, Response>,
): MessageContract<Request, Response> {
  return Object.freeze(contract);
}
