/**
 * What this gateway remembers of requests that clients may repeat (docs/PROTOCOL.md 4.7.6): the origin of the first attempt,
 * and its answer if that was a success. An answer that was given is never replaced.
 *
 * There are tens of thousands, and each keyed write adds one. So they are numbers in an array, not objects that the garbage collector
 * copies and looks through, and they are forgotten by generations: one by one, the oldest had to be looked for behind all
 * those that were forgotten before it, which a Map keeps in its place for a while (8 us of each keyed write, with 50,000).
 */
import { mayAnswerRepeats } from '@ringleader/paxos';
import type { FirstRequest } from '@ringleader/paxos';
import type { HybridTime } from '@ringleader/primitives';
import type { Outcome } from '../routing/in-flight.js';

export class Repeats {
  private young = new Generation();
  private old = new Generation();

  /** The latest half of so many are remembered at least, and never more than so many. */
  constructor(private readonly requestsMax: number) {}

  find(requestId: string): FirstRequest<Outcome> | null {
    const young = this.young.find(requestId);
    // Another attempt of it may have ended since, without an answer.
    return (young?.answer ?? null) === null ? (this.old.find(requestId) ?? young) : young;
  }

  /** Of a request that is over. `origin`: of its first attempt. */
  remember(requestId: string, origin: HybridTime, outcome: Outcome): void {
    const generationMax = Math.floor(this.requestsMax / 2);
    if (generationMax === 0) return;
    this.young.remember(requestId, origin, outcome);
    if (this.young.count < generationMax) return;
    this.old = this.young;
    this.young = new Generation();
  }
}

/** Origin, shard (0: no answer), revision, version, whether it was created, and when, when it was modified. */
const NUMBERS_EACH = 7;
const FIRST_ROOM = 256;

class Generation {
  private readonly places = new Map<string, number>();
  private numbers = new Float64Array(FIRST_ROOM * NUMBERS_EACH);

  get count(): number {
    return this.places.size;
  }

  find(requestId: string): FirstRequest<Outcome> | null {
    const place = this.places.get(requestId);
    if (place === undefined) return null;
    const [origin, servedBy, revision, version, created, createdAt, modifiedAt] = this.numbers.subarray(
      place,
      place + NUMBERS_EACH,
    ) as unknown as [number, number, number, number, number, number, number];
    if (servedBy === 0) return { origin, answer: null };
    // No request has this token: nobody waits for it any more.
    const named = { kind: 'written', token: 0, created: created === 1 } as const;
    const reply = { ...named, revision, version, createdAt, modifiedAt };
    return { origin, answer: { kind: 'answered', reply, servedBy } };
  }

  remember(requestId: string, origin: HybridTime, outcome: Outcome): void {
    const place = this.places.get(requestId) ?? this.add(requestId, origin);
    const { numbers } = this;
    if (numbers[place + 1] !== 0 || outcome.kind !== 'answered' || !mayAnswerRepeats(outcome.reply)) return;
    const { reply, servedBy } = outcome;
    if (reply.kind !== 'written') return;
    numbers[place + 1] = servedBy;
    numbers[place + 2] = reply.revision;
    numbers[place + 3] = reply.version;
    numbers[place + 4] = reply.created ? 1 : 0;
    numbers[place + 5] = reply.createdAt;
    numbers[place + 6] = reply.modifiedAt;
  }

  private add(requestId: string, origin: HybridTime): number {
    const place = this.places.size * NUMBERS_EACH;
    if (place === this.numbers.length) {
      const larger = new Float64Array(this.numbers.length * 2);
      larger.set(this.numbers);
      this.numbers = larger;
    }
    this.places.set(requestId, place);
    this.numbers[place] = origin;
    return place;
  }
}
