/** Whatever was thrown while a request was handled, as one of our codes. */
import { HttpException } from '@nestjs/common';
import { OperationalError, REST_ERROR_CODES } from '@ringleader/contracts';
import type { ErrorDetails, RestErrorCode } from '@ringleader/contracts';

/** What a problem document is made of. Not always an Error: what is expected costs no stack trace. */
export interface RestError {
  readonly code: RestErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

const REST_CODES: ReadonlySet<string> = new Set(REST_ERROR_CODES);
const CLIENT_ERRORS = { min: 400, max: 499 } as const;

export function isRestError(error: unknown): error is OperationalError & RestError {
  return error instanceof OperationalError && REST_CODES.has(error.code);
}

/** Null for what nobody expected. */
export function toRestError(error: unknown): RestError | null {
  if (isRestError(error)) return error;
  // Errors of the web framework itself carry a status, and a message for the client.
  const status = error instanceof HttpException ? error.getStatus() : statusOf(error);
  if (status === undefined || status < CLIENT_ERRORS.min || status > CLIENT_ERRORS.max) return null;
  const detail = `The request is not valid: ${error instanceof Error ? error.message : 'it cannot be read'}`;
  return new OperationalError(
    'INVALID_ARGUMENT',
    detail,
    { reason: reasonOf(error) },
    { cause: error },
  ) as RestError;
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
