import { describe, expect, it } from '@jest/globals';
import { type Prng, seededPrng } from '@ringleader/primitives';
import type { Seated } from '../types.js';
import { type Foundation, Founding, type FoundingState, type Introduction } from './founding.js';

const SEATS = [1, 2, 3];
const nothing: Foundation = { founders: null, isBegun: false };

/** Writes all that is due, as a disk that takes no time. */
function settle(founding: Founding): Founding {
  for (let due = founding.toWrite; due !== null; due = founding.toWrite) founding.written(due);
  return founding;
}
const introduction = (
  seat: number,
  id: number,
  founders: readonly Seated[] | null = null,
  isBegun = false,
): Introduction => ({ seat, id, founders, isBegun, isQuestion: false });
const founders = (...ids: number[]): Seated[] => ids.map((id, i) => ({ seat: i + 1, id }));

describe('the founding of a group', () => {
  it('of one begins at once, when that is written', () => {
    const founding = new Founding({ seat: 1, id: 11 }, [1], nothing);
    expect(founding.state).toEqual({ kind: 'waiting', seats: [] });
    expect(settle(founding).state).toEqual({ kind: 'begun', founders: founders(11) });
  });

  it('waits for everybody to write the same founders down, and tells only what is written', () => {
    const founding = new Founding({ seat: 1, id: 11 }, SEATS, nothing);
    founding.receive(introduction(2, 22));
    expect(founding.state).toEqual({ kind: 'waiting', seats: [3] });
    founding.receive(introduction(3, 33));
    expect(founding.introduction(true)).toMatchObject({ founders: null });
    settle(founding);
    expect(founding.introduction(true)).toMatchObject({ founders: founders(11, 22, 33), isBegun: false });
    founding.receive(introduction(2, 22, founders(11, 22, 33)));
    expect(settle(founding).state).toEqual({ kind: 'waiting', seats: [3] });
    founding.receive(introduction(3, 33, founders(11, 22, 33)));
    expect(settle(founding).state).toEqual({ kind: 'begun', founders: founders(11, 22, 33) });
  });

  it('is refused to who is known under another id, be the others in the group or on their way', () => {
    for (const isBegun of [false, true]) {
      const emptied = new Founding({ seat: 2, id: 99 }, SEATS, nothing);
      emptied.receive(introduction(1, 11, founders(11, 22, 33), isBegun));
      expect(emptied.state).toEqual({ kind: 'replaced', by: 1, knownId: 22 });
      emptied.receive(introduction(3, 33));
      expect(emptied.toWrite).toBeNull();
    }
  });

  it('never takes a newcomer for a founder whom it has written down', () => {
    const written = { founders: founders(11, 22, 33), isBegun: false };
    const founding = new Founding({ seat: 1, id: 11 }, SEATS, written);
    founding.receive(introduction(3, 33, founders(11, 22, 33)));
    founding.receive(introduction(2, 99));
    expect(settle(founding).state).toEqual({ kind: 'waiting', seats: [2] });
  });

  it('ends where a disk was lost between two that wrote founders down', () => {
    const founding = new Founding({ seat: 1, id: 11 }, SEATS, {
      founders: founders(11, 22, 33),
      isBegun: false,
    });
    founding.receive(introduction(2, 22, founders(11, 22, 99)));
    expect(settle(founding).state).toEqual({ kind: 'spoiled', by: 2 });
  });
});

class Disk {
  foundation = nothing;
  readonly self: Seated;
  constructor(seat: number, id: number) {
    this.self = { seat, id };
  }
}

/** Members that crash, forget and lose their disks, and a network that loses, repeats and reorders. */
class Turmoil {
  readonly disks = new Map<number, Disk>();
  readonly lost: Disk[] = [];
  readonly begun = new Set<string>();
  readonly #running = new Map<number, Founding>();
  readonly #mail: { readonly to: number; readonly word: Introduction }[] = [];
  #nextId = 100;

  constructor(readonly prng: Prng) {
    for (const seat of SEATS) this.loseDisk(seat);
  }

  loseDisk(seat: number): void {
    const old = this.disks.get(seat);
    if (old !== undefined) this.lost.push(old);
    this.disks.set(seat, new Disk(seat, this.#nextId++));
    this.restart(seat);
  }
  restart(seat: number): void {
    const { self, foundation } = this.#disk(seat);
    this.#running.set(seat, new Founding(self, SEATS, foundation));
  }
  tell(seat: number, isQuestion = true): void {
    const word = this.#member(seat).introduction(isQuestion);
    for (const to of SEATS) if (to !== seat) this.#mail.push({ to, word });
  }
  write(seat: number): void {
    const due = this.#member(seat).toWrite;
    if (due === null) return;
    this.#disk(seat).foundation = due;
    this.#member(seat).written(due);
  }
  deliver(keep: boolean): void {
    if (this.#mail.length === 0) return;
    const at = this.prng.nextBelow(this.#mail.length);
    const { to, word } = this.#mail[at]!;
    if (!keep) this.#mail.splice(at, 1);
    this.#member(to).receive(word);
  }
  stateOf(seat: number): FoundingState {
    return this.#member(seat).state;
  }
  check(): void {
    for (const seat of SEATS) {
      const state = this.stateOf(seat);
      if (state.kind !== 'begun') continue;
      const name = JSON.stringify(state.founders);
      if (!this.begun.has(name)) this.#checkBeginning(state.founders, name);
      this.begun.add(name);
    }
  }

  #checkBeginning(newFounders: readonly Seated[], name: string): void {
    const everybody = [...this.disks.values(), ...this.lost];
    for (const founder of newFounders) {
      const disk = everybody.find(({ self }) => self.id === founder.id);
      expect(JSON.stringify(disk?.foundation.founders)).toBe(name);
    }
    for (const earlier of this.begun) {
      const left = [...this.disks.values()].filter(
        (disk) => JSON.stringify(disk.foundation.founders) === earlier,
      );
      expect(left).toEqual([]);
    }
  }
  #disk(seat: number): Disk {
    return this.disks.get(seat)!;
  }
  #member(seat: number): Founding {
    return this.#running.get(seat)!;
  }
}

function disturb(turmoil: Turmoil, lossesMax: number): void {
  const { prng } = turmoil;
  let losses = 0;
  for (let step = 0; step < 400; step++) {
    const seat = SEATS[prng.nextBelow(SEATS.length)]!;
    const draw = prng.nextBelow(100);
    if (draw < 20) turmoil.tell(seat);
    else if (draw < 75) turmoil.deliver(prng.nextBelow(4) === 0);
    else if (draw < 92) turmoil.write(seat);
    else if (draw < 98 || losses >= lossesMax) turmoil.restart(seat);
    else {
      turmoil.loseDisk(seat);
      losses += 1;
    }
    turmoil.check();
  }
}

describe('the founding of a group in turmoil', () => {
  it('begins once: with founders who all wrote it down, and not again while one of their disks is left', () => {
    let begun = 0;
    for (let seed = 1; seed <= 1_500; seed++) {
      const turmoil = new Turmoil(seededPrng(seed));
      disturb(turmoil, 6);
      begun += turmoil.begun.size;
    }
    expect(begun).toBeGreaterThan(500);
  });

  it('always begins where no disk is lost', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const turmoil = new Turmoil(seededPrng(seed));
      disturb(turmoil, 0);
      for (let round = 0; round < 6; round++) {
        for (const seat of SEATS) turmoil.tell(seat);
        for (let i = 0; i < 400; i++) turmoil.deliver(false);
        for (const seat of SEATS) for (let i = 0; i < 3; i++) turmoil.write(seat);
      }
      turmoil.check();
      expect(SEATS.map((seat) => turmoil.stateOf(seat).kind)).toEqual(['begun', 'begun', 'begun']);
    }
  });
});
