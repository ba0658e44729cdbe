/** The group of the coordinators: who votes, who learns, who asks to be let in. A change is under way until it is let end. */
import type { CoordinatorMembers } from '@ringleader/contracts';
import { Refused, Violation } from './violations.js';

interface Learner {
  readonly seat: number;
  readonly replaces: string | null;
}
/** Of a pod of a coordinator that runs: its seat, and the id on its volume. */
export interface RunningCoordinator {
  readonly seat: number;
  readonly id: string;
}

const name = (seat: number): string => `coordinator-${seat}`;

export class RaftGroup {
  #voters: ReadonlyMap<string, number>;
  #outgoing: ReadonlyMap<string, number> | null = null;
  readonly #learners = new Map<string, Learner>();
  readonly #removed = new Set<string>();
  #index = 1;
  #leader: string | null = null;

  constructor(
    founders: readonly RunningCoordinator[],
    private readonly running: () => readonly RunningCoordinator[],
  ) {
    this.#voters = new Map(founders.map(({ id, seat }) => [id, seat]));
  }

  isMember(id: string): boolean {
    return this.#voters.has(id) || this.#learners.has(id) || (this.#outgoing?.has(id) ?? false);
  }
  isVoter = (id: string): boolean => this.#voters.has(id) || (this.#outgoing?.has(id) ?? false);
  wasRemoved = (id: string): boolean => this.#removed.has(id);

  isQuorate(without?: string): boolean {
    const up = new Set(this.running().flatMap(({ id }) => (id === without ? [] : id)));
    return [this.#voters, this.#outgoing].every((set) => set === null || isMajority(set, up));
  }

  /** Null where nobody leads. */
  observed(): CoordinatorMembers | null {
    this.#elect();
    const leader = this.#leader;
    if (leader === null) return null;
    const up = new Set(this.running().map(({ id }) => id));
    const seated = new Map([...(this.#outgoing ?? []), ...this.#voters]);
    const progress = { term: 1, match: 1, lag: 0 };
    const voters = [...seated].map(([id, seat]) => ({
      ...{ name: name(seat), id, ...progress, reachable: up.has(id) },
      role: id === leader ? ('leader' as const) : ('voter' as const),
    }));
    const learners = [...this.#learners].map(([id, { seat, replaces }]) => ({
      ...{ name: name(seat), id, ...progress, reachable: up.has(id), role: 'learner' as const },
      ...(replaces !== null && { replaces }),
    }));
    const applicants = this.running()
      .filter(({ id }) => !this.isMember(id) && !this.#removed.has(id))
      .map(({ id, seat }) => ({ id, name: name(seat) }));
    const members = [...voters, ...learners].sort((a, b) => (a.name < b.name ? -1 : 1));
    const leaderName = name(seated.get(leader) ?? 0);
    const numbers = { term: 1, index: this.#index, revision: 1 };
    return { leader: leaderName, ...numbers, joint: this.#outgoing !== null, members, applicants };
  }

  /** One thing that takes time: a joint configuration is left, or a learner has caught up. */
  progress(): void {
    if (!this.isQuorate()) return;
    if (this.#outgoing !== null) {
      for (const id of this.#outgoing.keys()) if (!this.#voters.has(id)) this.#removed.add(id);
      this.#outgoing = null;
      this.#index += 1;
      this.#elect();
      return;
    }
    const up = new Set(this.running().map(({ id }) => id));
    const next = [...this.#learners].find(([id]) => up.has(id));
    if (next === undefined) return;
    const [id, { seat, replaces }] = next;
    this.#learners.delete(id);
    this.#become([...this.#voters].filter(([voter]) => voter !== replaces).concat([[id, seat]]));
  }

  add(seat: number, ifIndex: number): void {
    this.#mayChange(ifIndex);
    if (this.#seated(seat) !== undefined) throw new Refused('ALREADY_SO');
    this.#learn(seat, null);
  }

  replace(seat: number, ifIndex: number): void {
    this.#mayChange(ifIndex, seat);
    const lost = this.#seated(seat);
    if (lost === undefined) throw new Refused('MEMBER_NOT_FOUND');
    if (this.running().some(({ id }) => id === lost)) {
      throw new Violation('replaces only who is lost', `${name(seat)} runs`);
    }
    const replaces = this.#learners.get(lost)?.replaces ?? lost;
    this.#learn(seat, this.#voters.has(replaces) ? replaces : null);
    if (this.#learners.delete(lost)) this.#removed.add(lost);
  }

  remove(seat: number, ifIndex: number): void {
    this.#mayChange(ifIndex, seat);
    const id = this.#seated(seat);
    if (id === undefined) throw new Refused('MEMBER_NOT_FOUND');
    if (this.#learners.delete(id)) {
      this.#removed.add(id);
      this.#index += 1;
      return;
    }
    const staying = [...this.#voters].filter(([voter]) => voter !== id);
    const up = new Set(this.running().map((one) => one.id));
    if (!isMajority(new Map(staying), up)) throw new Refused('QUORUM_AT_RISK');
    this.#become(staying);
  }

  transfer(to: number | null): void {
    this.#elect();
    const up = this.running().map(({ id }) => id);
    const next = [...this.#voters].find(
      ([id, seat]) => id !== this.#leader && up.includes(id) && (to === null || seat === to),
    );
    if (next === undefined) throw new Refused('UNAVAILABLE');
    [this.#leader] = next;
  }

  /** Another leads, for no reason that could be told. */
  elect(pick: number): void {
    const up = new Set(this.running().map(({ id }) => id));
    const candidates = [...this.#voters.keys()].filter((id) => up.has(id));
    if (this.isQuorate()) this.#leader = candidates[pick % candidates.length] ?? null;
  }

  /** Whoever asks at the present index knows what is under way. */
  #mayChange(ifIndex: number, seat?: number): void {
    if (!this.isQuorate()) throw new Refused('UNAVAILABLE');
    if (ifIndex !== this.#index) throw new Refused('PRECONDITION_FAILED');
    const others = [...this.#learners.values()].filter((learner) => learner.seat !== seat);
    if (this.#outgoing !== null || others.length > 0) {
      throw new Violation('one change of the group at a time', 'asked while another is under way');
    }
  }

  #seated(seat: number): string | undefined {
    const learner = [...this.#learners].find(([, one]) => one.seat === seat);
    return learner?.[0] ?? [...this.#voters].find(([, one]) => one === seat)?.[0];
  }

  #learn(seat: number, replaces: string | null): void {
    const applicant = this.running().find(
      (one) => one.seat === seat && !this.isMember(one.id) && !this.#removed.has(one.id),
    );
    if (applicant === undefined) throw new Refused('NO_APPLICANT');
    this.#learners.set(applicant.id, { seat, replaces });
    this.#index += 1;
  }

  #become(voters: readonly (readonly [string, number])[]): void {
    this.#outgoing = this.#voters;
    this.#voters = new Map(voters);
    this.#index += 1;
  }

  #elect(): void {
    const up = new Set(this.running().map(({ id }) => id));
    if (!this.isQuorate()) this.#leader = null;
    else if (this.#leader === null || !up.has(this.#leader) || !this.#voters.has(this.#leader)) {
      this.#leader = [...this.#voters.keys()].find((id) => up.has(id)) ?? null;
    }
  }
}

function isMajority(set: ReadonlyMap<string, number>, up: ReadonlySet<string>): boolean {
  return [...set.keys()].filter((id) => up.has(id)).length > set.size / 2;
}
