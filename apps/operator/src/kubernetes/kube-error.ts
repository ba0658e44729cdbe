/** What came of a request to the API server: its status (0: none came), and the reason in its own words. */
export class KubeError extends Error {
  override readonly name = 'KubeError';

  constructor(
    readonly status: number,
    /** As in `metav1.StatusReason`: NotFound, Conflict, Expired, ...; Unreachable where no answer came. */
    readonly reason: string,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}

export const isGone = (error: unknown): boolean => error instanceof KubeError && error.status === 404;
/** Somebody else was faster, or the object is another one by now: what was read is stale. */
export const isConflict = (error: unknown): boolean => error instanceof KubeError && error.status === 409;
/** Of a watch: what it was to begin from is forgotten. */
export const isExpired = (error: unknown): boolean => error instanceof KubeError && error.status === 410;
/** Of an eviction: a disruption budget allows none now. */
export const isNotNow = (error: unknown): boolean => error instanceof KubeError && error.status === 429;

/** It was understood, and will be refused again for as long as nothing else changes: 409 and 429 are matters of time. */
export const isRefusal = (error: unknown): error is KubeError =>
  error instanceof KubeError &&
  error.status >= 400 &&
  error.status < 500 &&
  ![401, 408, 409, 429].includes(error.status);

/** Of what is no JSON something in between has answered, or it was cut off. It is not shown: it may be part of a Secret. */
export function jsonIn(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new KubeError(0, 'Unreadable', `${what}: ${text.length} characters that are no JSON`);
  }
}

export function toKubeError(status: number, text: string, what: string): KubeError {
  const { reason, message } = statusIn(text);
  return new KubeError(status, reason ?? 'Unknown', `${what}: ${status} ${message ?? text.slice(0, 300)}`);
}

function statusIn(text: string): { readonly reason?: string; readonly message?: string } {
  try {
    const { reason, message } = JSON.parse(text) as Record<string, unknown>;
    return {
      ...(typeof reason === 'string' && reason !== '' && { reason }),
      ...(typeof message === 'string' && { message }),
    };
  } catch (error) {
    // A proxy in between answers in its own way.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
