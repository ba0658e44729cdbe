/**
 * How the first members of a group come to know each other, once. Each draws its id, writes it down, and tells the others. Who
 * knows all ids writes these **founders** down, and never others; who knows that all founders have written the same ones down
 * begins. So:
 *
 *  - a group begins only with founders whose disks all name the same founders, each with the id on that disk;
 *  - a member that has lost its disk has another id, is no founder, and cannot found a second group while a single founder's disk
 *    is left, whoever can or cannot be reached: founding needs the word of every seat.
 *
 * Only computes, as all of this core: `introduction` is what to tell, `toWrite` what must be on disk before it is told.
 */
import { invariant } from '@ringleader/primitives';
import type { MemberId, Seat, Seated } from '../types.js';

/** What a member writes down of the founding. */
export interface Foundation {
  /** One per seat, in their order; null until all are known. They never change after. */
  readonly founders: readonly Seated[] | null;
  /** All founders have written them down: the group exists. */
  readonly isBegun: boolean;
}

/** What a member tells of itself: only what is on its disk. */
export interface Introduction extends Seated, Foundation {
  /** Whether the receiver should introduce itself in return. */
  readonly isQuestion: boolean;
}

export type FoundingState =
  | { readonly kind: 'waiting'; /** who has not said what is needed */ readonly seats: readonly Seat[] }
  | { readonly kind: 'begun'; readonly founders: readonly Seated[] }
  /** The group, or part of it, knows this seat under another id: there was a member here, and its disk is lost. */
  | { readonly kind: 'replaced'; readonly by: Seat; readonly knownId: MemberId }
  /** Some disk was lost while the group was being founded, so that no group has begun, and none can. */
  | { readonly kind: 'spoiled'; readonly by: Seat };

type Refusal = Extract<FoundingState, { kind: 'replaced' | 'spoiled' }>;

export class Founding {
  readonly #self: Seated;
  readonly #others: readonly Seat[];
  /** The newest word of each other seat. */
  readonly #heard = new Map<Seat, Introduction>();
  #written: Foundation;
  #wanted: Foundation;
  #end: Refusal | null = null;

  constructor(self: Seated, seats: readonly Seat[], written: Foundation) {
    invariant(seats.includes(self.seat), `seat ${String(self.seat)} is one of [${seats.join(', ')}]`);
    this.#self = self;
    this.#others = seats.filter((seat) => seat !== self.seat);
    this.#written = written;
    this.#wanted = written;
    this.#decide();
  }

  get state(): FoundingState {
    const { founders, isBegun } = this.#written;
    if (founders !== null && isBegun) return { kind: 'begun', founders };
    return this.#end ?? { kind: 'waiting', seats: this.#others.filter((seat) => !this.#isContent(seat)) };
  }

  /** Null when the disk has it already. */
  get toWrite(): Foundation | null {
    return this.#wanted === this.#written ? null : this.#wanted;
  }

  written(foundation: Foundation): void {
    this.#written = foundation;
    this.#decide();
  }

  introduction(isQuestion: boolean): Introduction {
    return { ...this.#self, ...this.#written, isQuestion };
  }

  receive(heard: Introduction): void {
    if (!this.#others.includes(heard.seat) || this.#end !== null || this.#written.isBegun) return;
    const { founders } = heard;
    if (founders !== null && idAt(founders, heard.seat) !== heard.id) return;
    if (founders !== null) this.#end = this.#objection(heard.seat, founders);
    if (this.#end !== null || (founders === null && !this.#maySettleOn(heard))) return;
    this.#heard.set(heard.seat, heard);
    this.#decide();
  }

  /** What the founders that another has written down mean for this member, if that is the end of it. */
  #objection(by: Seat, founders: readonly Seated[]): Refusal | null {
    const knownId = idAt(founders, this.#self.seat);
    if (knownId !== this.#self.id) return { kind: 'replaced', by, knownId: knownId ?? 0 };
    const own = this.#wanted.founders;
    return own === null || areSame(own, founders) ? null : { kind: 'spoiled', by };
  }

  /** Not with somebody else in the place of a founder: that one will hear so from here. */
  #maySettleOn({ seat, id }: Introduction): boolean {
    return this.#wanted.founders === null || idAt(this.#wanted.founders, seat) === id;
  }

  #decide(): void {
    if (this.#wanted.founders === null) {
      const founders = this.#told() ?? this.#gathered();
      if (founders !== null) this.#wanted = { founders, isBegun: false };
    }
    // What is wanted must be on the disk before it counts.
    if (this.#wanted !== this.#written || this.#written.founders === null || this.#written.isBegun) return;
    const isKnownToBegin = [...this.#heard.values()].some(({ isBegun }) => isBegun);
    if (isKnownToBegin || this.#others.every((seat) => this.#isContent(seat))) {
      this.#wanted = { founders: this.#written.founders, isBegun: true };
    }
  }

  /** Whether the seat has said all that it is waited for. */
  #isContent(seat: Seat): boolean {
    const heard = this.#heard.get(seat);
    if (heard === undefined) return false;
    return this.#written.founders === null || heard.founders !== null;
  }

  /** The founders that another has settled on already. */
  #told(): readonly Seated[] | null {
    for (const { founders } of this.#heard.values()) if (founders !== null) return founders;
    return null;
  }

  #gathered(): readonly Seated[] | null {
    const all = [this.#self];
    for (const seat of this.#others) {
      const heard = this.#heard.get(seat);
      if (heard === undefined) return null;
      all.push({ seat, id: heard.id });
    }
    return all.sort((a, b) => a.seat - b.seat);
  }
}

function idAt(founders: readonly Seated[], seat: Seat): MemberId | null {
  return founders.find((founder) => founder.seat === seat)?.id ?? null;
}

function areSame(a: readonly Seated[], b: readonly Seated[]): boolean {
  return a.length === b.length && a.every(({ seat, id }) => idAt(b, seat) === id);
}
