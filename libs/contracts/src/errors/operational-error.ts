import { ERROR_CATALOGUE, isErrorCode } from './catalogue.js';
import type { ErrorCode, ErrorEntry } from './catalogue.js';

/** What was wrong and what is allowed, in fields: never a secret, always JSON. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** An error that an operator or a client can act on. A bug is an InvariantError instead, and ends the process. */
export class OperationalError extends Error {
  override readonly name = 'OperationalError';

  constructor(
    readonly code: ErrorCode,
    /** One sentence for a person: what was wrong, and what is allowed. */
    message: string,
    readonly details: ErrorDetails = {},
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }

  get entry(): ErrorEntry {
    return ERROR_CATALOGUE[this.code];
  }
}

/** An error as it crosses a service boundary: NestJS delivers plain objects. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

export function toWireError(error: OperationalError): WireError {
  return { code: error.code, message: error.message, details: error.details };
}

/** Gives back the class where the plain object carries a known code; null where it is anything else. */
export function fromWireError(value: unknown): OperationalError | null {
  if (typeof value !== 'object' || value === null) return null;
  const { code, message, details } = value as Partial<WireError>;
  if (!isErrorCode(code) || typeof message !== 'string') return null;
  return new OperationalError(code, message, details ?? {});
}
