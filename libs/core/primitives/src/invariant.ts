/**
 * A broken invariant is a bug: continuing could turn it into lost data, so the process must end.
 * Never used for external input, which is answered with an operational error instead.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** For the `default` branch of a switch over a union: the compiler proves that it cannot be reached. */
export function unreachable(value: never, context: string): never {
  throw new InvariantError(`${context}: unexpected ${JSON.stringify(value)}`);
}
