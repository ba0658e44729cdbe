import type { HybridTime } from '@ringleader/primitives';

export interface FirstRequest<Answer> {
  readonly origin: HybridTime;
  /** Null while there is none that a repeat may be answered with. */
  readonly answer: Answer | null;
}

/**
 * 4.7.6: a gateway answers a repeat from its own memory with a success, never with a refusal: since then the client may have
 * asked another gateway, which carried it out.
 */
export function mayAnswerRepeats({ kind }: { readonly kind: string }): boolean {
  return kind === 'written';
}
