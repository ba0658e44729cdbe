/** The transfer cannot go on, for a reason the person at the terminal can do something about: one sentence. */
export class TransferError extends Error {
  override readonly name = 'TransferError';
}
