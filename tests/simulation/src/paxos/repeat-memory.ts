import type { FirstRequest } from '@ringleader/paxos';
import type { HybridTime } from '@ringleader/primitives';

/** What a gateway remembers of the most recent requests that clients may repeat (docs/PROTOCOL.md 4.7.6): the real one's is `repeats.ts`. */
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
