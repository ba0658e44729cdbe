/**
 * What this gateway remembers of requests that clients may repeat, in two generations, of which the older is forgotten
 * whole. One by one, the oldest had to be looked for behind all those that were forgotten before it, which a Map keeps in
 * its place for a while: with 50,000 remembered that was 8 us of each keyed write.
 */
import { mayAnswerRepeats, RepeatMemory } from '@ringleader/paxos';
import type { FirstRequest } from '@ringleader/paxos';
import type { HybridTime } from '@ringleader/primitives';
import type { Outcome } from '../routing/in-flight.js';

export class Repeats {
  private young = generation();
  private old = generation();
  private inYoung = 0;

  /** The latest half of so many are remembered at least, and never more than so many. */
  constructor(private readonly requestsMax: number) {}

  find(requestId: string): FirstRequest<Outcome> | null {
    return this.young.find(requestId) ?? this.old.find(requestId);
  }

  /** Of a request that is over. `origin`: of its first attempt. */
  remember(requestId: string, origin: HybridTime, outcome: Outcome): void {
    const generationMax = Math.floor(this.requestsMax / 2);
    if (generationMax === 0) return;
    if (this.young.find(requestId) === null) this.inYoung += 1;
    this.young.remember(requestId, origin, outcome);
    if (this.inYoung < generationMax) return;
    this.old = this.young;
    this.young = generation();
    this.inYoung = 0;
  }
}

function generation(): RepeatMemory<Outcome> {
  return new RepeatMemory(
    Infinity,
    (outcome) => outcome.kind === 'answered' && mayAnswerRepeats(outcome.reply),
  );
}
