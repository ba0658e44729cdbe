/**
 * What a control reply looks like on the wire. NestJS turns exceptions into "Internal server error" and drops their
 * class, so handlers never throw through it: an operational error is data.
 */
import type { WireError } from '@ringleader/contracts';

export type ControlEnvelope =
  | { readonly kind: 'response'; readonly response: unknown }
  | { readonly kind: 'error'; readonly error: WireError };

export function isControlEnvelope(value: unknown): value is ControlEnvelope {
  if (typeof value !== 'object' || value === null) return false;
  const { kind } = value as { kind?: unknown };
  return kind === 'response' || kind === 'error';
}
