/** The world is not as it was seen, or not ready for what was decided: nothing is wrong, and it is looked at again. */
export class NotNow extends Error {
  override readonly name = 'NotNow';

  constructor(
    message: string,
    readonly afterMs: number,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}
