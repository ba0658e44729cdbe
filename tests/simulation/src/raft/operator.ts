/**
 * Who changes the group all the time: adds, promotes, replaces, removes, hands over, loses disks, and gives removed members a new
 * one. It asks whoever believes to lead, now and then an old leader. The one thing it keeps to is what no group survives
 * without: that a majority of each set of voters that may decide still has its disks. A removal that is not committed yet has
 * not changed who may decide.
 */
import type { MemberId, Prng } from '@ringleader/primitives';
import {
  allMembers,
  type Change,
  type Configuration,
  isVoter,
  learnerOf,
  planChange,
  type Seated,
} from '@ringleader/raft';
import type { Group } from './group.js';
import { areMajorities } from './membership-judge.js';
import type { MemberProcess } from './member-process.js';
import type { Scene } from './script.js';

const votersMin = 2;
const votersWanted = 5;

export function* changes({ group, prng }: Scene): Generator<number, void> {
  const operator = new Operator(group, prng);
  const meanMs = 5 + prng.nextBelow(80);
  const restMs = prng.nextBelow(2) === 0 ? 0 : 300;
  for (;;) {
    yield 2 * meanMs * prng.nextFloat() + (prng.nextBelow(5) === 0 ? restMs : 0);
    operator.act();
  }
}

class Operator {
  readonly #group: Group;
  readonly #prng: Prng;

  constructor(group: Group, prng: Prng) {
    this.#group = group;
    this.#prng = prng;
  }

  act(): void {
    const seat = this.#pick(this.#group.members);
    const leader = this.#leader();
    const kind = this.#prng.nextBelow(24);
    if (kind === 0) leader?.handOver();
    else if (kind <= 2) this.#loseDisk(seat);
    else if (leader !== null) this.#change(leader, seat);
  }

  /** Each of those who believe to lead may be asked. */
  #leader(): MemberProcess | null {
    const leaders = this.#group.processes().filter(({ core }) => core.status().role === 'leader');
    return leaders.length === 0 ? null : this.#pick(leaders);
  }

  #loseDisk(seat: MemberId): void {
    const inPlay = this.#group.judge.membership.inPlay();
    const isSafe = inPlay.every(({ voters, outgoing, learners }) => {
      const areAllThere = [...voters, ...outgoing, ...learners].every(({ id }) => this.#isThere(id));
      return (
        areAllThere && voters.length > votersMin && (outgoing.length === 0 || outgoing.length > votersMin)
      );
    });
    if (isSafe && inPlay.length > 0) this.#replaceDisk(seat);
  }

  #isDispensable(id: MemberId): boolean {
    const remains = (voter: MemberId): boolean => voter !== id && this.#isThere(voter);
    return this.#group.judge.membership.inPlay().every((inPlay) => areMajorities(inPlay, remains));
  }

  #replaceDisk(seat: MemberId): void {
    const node = this.#group.world.node(seat);
    node.crash();
    this.#group.loseDisk(seat);
    node.start();
  }

  #change(leader: MemberProcess, seat: MemberId): void {
    const { configuration } = leader.core;
    const id = this.#group.idAt(seat);
    if (configuration.removed.includes(id) && this.#prng.nextBelow(2) === 0) {
      if (this.#isDispensable(id)) this.#replaceDisk(seat);
      return;
    }
    const change = this.#draw(configuration, { id, seat });
    if (change === null) return;
    const plan = planChange(configuration, change);
    if (plan.kind === 'planned' && !areMajorities(plan.configuration, (voter) => this.#isThere(voter)))
      return;
    leader.change(change);
  }

  #draw(configuration: Configuration, member: Seated): Change | null {
    const { id } = member;
    const { voters } = configuration;
    if (learnerOf(configuration, id) !== null) {
      return { kind: this.#prng.nextBelow(6) === 0 ? 'remove' : 'promote', id };
    }
    if (isVoter(configuration, id)) {
      const chance = voters.length > 3 ? 2 : 8;
      return voters.length > votersMin && this.#prng.nextBelow(chance) === 0 ? { kind: 'remove', id } : null;
    }
    return this.#drawForStranger(configuration, member);
  }

  /** Another id may have the seat, whose disk is lost. */
  #drawForStranger(configuration: Configuration, member: Seated): Change | null {
    const lost = allMembers(configuration).find(({ seat }) => seat === member.seat);
    const { voters, learners } = configuration;
    if (lost === undefined && voters.length + learners.length >= votersWanted) return null;
    if (lost !== undefined && this.#prng.nextBelow(5) === 0) return { kind: 'remove', id: lost.id };
    const isPromotedItself = this.#prng.nextBelow(2) === 0;
    return { kind: 'add', member, isPromotedItself, replaces: lost?.id ?? 0 };
  }

  #isThere(id: MemberId): boolean {
    return this.#group.judge.diskOf(id) !== null;
  }

  #pick<T>(all: readonly T[]): T {
    return all[this.#prng.nextBelow(all.length)] as T;
  }
}
