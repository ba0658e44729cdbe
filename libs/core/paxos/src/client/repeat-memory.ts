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

/** What a gateway remembers of the most recent requests that clients may repeat (docs/PROTOCOL.md 4.7.6). */
export class RepeatMemory<Answer> {
  private readonly requests = new Map<string, FirstRequest<Answer>>();

  constructor(
    private readonly requestsMax: number,
    private readonly mayAnswer: (answer: Answer) => boolean,
  ) {}

  find(requestId: string): FirstRequest<Answer> | null {
    return this.requests.get(requestId) ?? null;
  }

  /** Null: the request is under way. */
  remember(requestId: string, origin: HybridTime, outcome: Answer | null): void {
    const known = this.requests.get(requestId);
    this.requests.delete(requestId);
    const present = outcome !== null && this.mayAnswer(outcome) ? outcome : null;
    this.requests.set(requestId, { origin: known?.origin ?? origin, answer: known?.answer ?? present });
    if (this.requests.size <= this.requestsMax) return;
    const oldest = this.requests.keys().next();
    if (!oldest.done) this.requests.delete(oldest.value);
  }
}
