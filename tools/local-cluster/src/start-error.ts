/** The cluster cannot start, for a reason the person at the terminal can do something about: one sentence. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
