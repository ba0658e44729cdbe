/** Something outside this program is missing or refuses: the message is one sentence a person can act on. */
export class ServerProcessError extends Error {
  override readonly name = 'ServerProcessError';
}
