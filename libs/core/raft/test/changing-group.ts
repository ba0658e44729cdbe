/**
 * A group that changes all the time while messages are lost, repeated and reordered, members crash, disks are slow, lost and
 * replaced: drawn from a seed, one step at a time. It checks what Raft promises of any group: one leader per term, one entry per index
 * for all who apply; and in the end, when all is well again, that the group goes on.
 */
import { seededPrng, type Prng } from '@ringleader/primitives';
import {
  allMembers,
  type Configuration,
  configurationOf,
  defaultLimits,
  emptyConfiguration,
  type MemberId,
  type Message,
  type RaftRules,
  type Seated,
  soundRules,
} from '../src/index.js';
import { ScenarioMember } from './scenario-member.js';

const FOUNDERS = 3;
const SEATS = 6;
const WAITING_MAX = 60;
/** One entry per Append, and small windows: more states in fewer steps. */
const limits = { ...defaultLimits, appendBytesMax: 1, inFlightAppendsMax: 3, inFlightBytesMax: 4 };

export class ChangingGroup {
  readonly #random: Prng;
  readonly #rules: RaftRules;
  readonly #members = new Map<MemberId, ScenarioMember>();
  readonly #lost = new Set<MemberId>();
  /** Cut off from all others, not from each other. */
  #side = new Set<MemberId>();
  readonly #ledBy = new Map<number, string>();
  readonly #applied = new Map<string, string>();
  #waiting: Message[] = [];
  #nextId = FOUNDERS + 1;
  #nextText = 1;
  changes = 0;

  constructor(seed: number, rules: Partial<RaftRules> = {}) {
    this.#random = seededPrng(seed);
    this.#rules = { ...soundRules, ...rules };
    const founders = Array.from({ length: FOUNDERS }, (_, i) => ({ id: i + 1, seat: i + 1 }));
    for (const { id } of founders) this.#start(id, configurationOf(founders));
  }

  step(): void {
    const draw = this.#random.nextBelow(1_000);
    if (draw < 500) this.#deliverOne();
    else if (draw < 925) this.#any(this.#up())?.turn();
    else if (draw < 965) this.#any(this.#up())?.core.tick();
    else if (draw < 975) this.#propose();
    else if (draw < 994) this.#change();
    else this.#disturb();
  }

  /** All is well from here on. Throws unless the group comes to rest with one leader whom all its members follow. */
  recover(): void {
    this.#side.clear();
    for (const [id, member] of this.#members) {
      if (this.#lost.has(id)) continue;
      if (!member.isUp) member.restart();
      member.isDiskStopped = false;
    }
    for (let round = 0; round < 400; round += 1) {
      for (const member of this.#up()) member.core.tick();
      this.#settle();
      if (round > 60 && this.#isAtRest()) return;
    }
    const told = this.#up().map(({ core }) => JSON.stringify(core.status()));
    throw new Error(`liveness: no rest\n${told.join('\n')}`);
  }

  #settle(): void {
    for (let turn = 0; turn < 50; turn += 1) {
      const isAnythingDone = this.#up()
        .map((member) => member.turn())
        .some(Boolean);
      const messages = this.#waiting;
      this.#waiting = [];
      for (const message of messages) this.#deliver(message);
      if (!isAnythingDone && messages.length === 0) return;
    }
  }

  #isAtRest(): boolean {
    const [leader] = this.#leaders();
    if (leader === undefined) return false;
    const { configuration, commitIndex, isJoint } = leader.core.status();
    if (isJoint) return false;
    return allMembers(configuration).every(({ id }) => {
      const member = this.#members.get(id);
      if (this.#lost.has(id)) return true;
      return member?.isUp === true && member.core.status().appliedIndex === commitIndex;
    });
  }

  #deliverOne(): void {
    if (this.#waiting.length === 0) return;
    const at = this.#random.nextBelow(this.#waiting.length);
    const message = this.#waiting[at]!;
    // Now and then it comes again.
    if (this.#random.nextBelow(10) > 0) this.#waiting.splice(at, 1);
    if (this.#random.nextBelow(12) > 0) this.#deliver(message);
  }

  #deliver(message: Message): void {
    const receiver = this.#members.get(message.to);
    const isCut = this.#side.has(message.from) !== this.#side.has(message.to);
    if (receiver?.isUp === true && !isCut) receiver.core.step(message);
  }

  #propose(): void {
    const leader = this.#any(this.#leaders());
    if (leader !== undefined) leader.propose([String(this.#nextText++)]);
  }

  #change(): void {
    const leader = this.#any(this.#leaders());
    if (leader === undefined) return;
    const { configuration } = leader.core;
    const members = allMembers(configuration);
    const isMissing = members.some(({ id }) => this.#lost.has(id));
    const draw = this.#random.nextBelow(4);
    const target = this.#any(members)!;
    if (draw === 0 && !isMissing && configuration.voters.length > 2) {
      this.#count(leader.core.changeConfiguration({ kind: 'remove', id: target.id }).kind);
    } else if (draw === 1) {
      this.#count(leader.core.changeConfiguration({ kind: 'promote', id: target.id }).kind);
    } else this.#add(leader, members.find(({ id }) => this.#lost.has(id)) ?? (draw === 2 ? target : null));
  }

  /** In the place of one whose disk is lost, or of another, or at a seat of its own. */
  #add(leader: ScenarioMember, before: Seated | null): void {
    const id = this.#nextId;
    const seat = before?.seat ?? 1 + this.#random.nextBelow(SEATS);
    const isPromotedItself = this.#random.nextBelow(3) > 0;
    const change = {
      kind: 'add',
      member: { id, seat },
      isPromotedItself,
      replaces: before?.id ?? 0,
    } as const;
    const { kind } = leader.core.changeConfiguration(change);
    this.#count(kind);
    if (kind === 'refused') return;
    this.#nextId += 1;
    this.#start(id, emptyConfiguration);
  }

  #count(kind: 'proposed' | 'refused'): void {
    if (kind === 'proposed') this.changes += 1;
  }

  #disturb(): void {
    const present = [...this.#members].filter(([id]) => !this.#lost.has(id));
    const impaired = present.filter(([, { isUp, isDiskStopped }]) => !isUp || isDiskStopped);
    const isMending = impaired.length > 0 && this.#random.nextBelow(3) > 0;
    const [id, member] = this.#any(isMending ? impaired : present)!;
    const draw = this.#random.nextBelow(14);
    if (draw > 9) this.#separate(present.map(([other]) => other));
    else if (!member.isUp) member.restart();
    else if (member.isDiskStopped) member.isDiskStopped = false;
    else this.#disturbOne(id, member, draw);
  }

  #disturbOne(id: MemberId, member: ScenarioMember, draw: number): void {
    if (draw < 3) member.isDiskStopped = true;
    else if (draw < 5) member.crash();
    else if (draw < 7) member.takeSnapshot(this.#random.nextBelow(3));
    else if (draw < 8) member.core.transferLeadership();
    else if (draw < 9) this.#loseDisk(id, member);
    else for (let tick = 0; tick < 12; tick += 1) member.core.tick();
  }

  /** Any of them from the others; or ends it. */
  #separate(ids: readonly MemberId[]): void {
    const isOver = this.#side.size > 0 && this.#random.nextBelow(2) === 0;
    this.#side = new Set(isOver ? [] : ids.filter(() => this.#random.nextBelow(2) === 0));
  }

  /** One at a time, and not of those without whom there is no majority. */
  #loseDisk(id: MemberId, member: ScenarioMember): void {
    const views = this.#up().map(({ core }) => core.configuration);
    const isSafe = views.every(
      (view) =>
        !allMembers(view).some((other) => this.#lost.has(other.id)) &&
        (view.outgoing.length === 0 || view.outgoing.length > 2) &&
        view.voters.length > 2,
    );
    if (!isSafe || [...this.#members.values()].some(({ isUp }) => !isUp)) return;
    member.crash();
    this.#lost.add(id);
  }

  #start(id: MemberId, configuration: Configuration): void {
    const send = (messages: readonly Message[]): void => {
      this.#waiting.push(...messages);
      while (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
    };
    const print = (line: string): void => this.#check(line);
    this.#members.set(id, new ScenarioMember({ id, configuration, limits, rules: this.#rules, print, send }));
  }

  #check(line: string): void {
    const leads = /^(\d+) takes \1 for the leader of term (\d+)$/.exec(line);
    if (leads !== null)
      this.#isSame(this.#ledBy, { key: Number(leads[2]), value: leads[1]!, what: 'election safety' });
    const applies = /^\d+ applies (\d+)\/(.*)$/.exec(line);
    if (applies !== null)
      this.#isSame(this.#applied, { key: applies[1]!, value: applies[2]!, what: 'state machine safety' });
  }

  #isSame<K>(known: Map<K, string>, { key, value, what }: { key: K; value: string; what: string }): void {
    const before = known.get(key) ?? value;
    if (before !== value) throw new Error(`${what}: at ${String(key)} both ${before} and ${value}`);
    known.set(key, value);
  }

  /** Who believe so: of the highest term first. */
  #leaders(): ScenarioMember[] {
    const leaders = this.#up().filter(({ core }) => core.status().role === 'leader');
    return leaders.sort((a, b) => b.core.status().term - a.core.status().term);
  }
  #up(): ScenarioMember[] {
    return [...this.#members.values()].filter(({ isUp }) => isUp);
  }
  #any<T>(all: readonly T[]): T | undefined {
    return all[this.#random.nextBelow(Math.max(1, all.length))];
  }
}
