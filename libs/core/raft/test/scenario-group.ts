/**
 * A group driven by the commands of scenario files:
 *
 *   group N [one-by-one]   N members; one-by-one: an Append carries one entry
 *   timeout N              member N hears nothing for so long that it seeks election
 *   tick all|N [COUNT]     time passes
 *   settle [quiet]         members work and messages travel until nothing happens any more
 *   turn N                 member N works once; what it sends waits
 *   deliver A>B [COUNT]    all messages that wait from A to B arrive, or the first ones
 *   drop A>B|A>* [COUNT]   they are lost
 *   repeat A>B             they arrive, and wait again
 *   waiting                the messages that wait
 *   propose N TEXT...      read N                transfer N [TO]
 *   snapshot N [KEEP]      takes one, and forgets the log before it but for KEEP entries
 *   cut A B    isolate N    heal       crash N    restart N     disk N stop|go
 *   member ID [SEAT]       one more process with an empty log, which knows no group
 *   add N ID [SEAT] [for ID] [waits]   member N is asked to make ID a learner, in whose place, and promoted only when told
 *   promote N ID           remove N ID
 *   status     log N        state      configurations      progress N
 */
import {
  type Change,
  type Configuration,
  configurationOf,
  defaultLimits,
  emptyConfiguration,
  type Message,
} from '../src/index.js';
import {
  describeConfiguration,
  describeEntries,
  describeMessage,
  describeProgress,
  describeStatus,
} from './describe.js';
import { ScenarioMember } from './scenario-member.js';

type Command = (args: readonly string[]) => void;

export class ScenarioGroup {
  readonly #members = new Map<number, ScenarioMember>();
  #limits = defaultLimits;
  readonly #commands: Readonly<Record<string, Command>>;
  #waiting: Message[] = [];
  #lines: string[] = [];
  #cuts = new Set<string>();

  constructor() {
    this.#commands = {
      group: (args) => this.#create(args),
      timeout: ([id]) => this.#timeOut(this.#member(id)),
      tick: ([who, count]) => this.#tick(who, Number(count ?? 1)),
      settle: ([quiet]) => this.#settle(quiet === 'quiet'),
      turn: ([id]) => void this.#member(id).turn(),
      deliver: ([link, count]) => this.#deliver(this.#takeWaiting(link, count)),
      drop: ([link, count]) => this.#drop(this.#takeWaiting(link, count)),
      repeat: ([link]) => this.#repeat(link),
      waiting: () => this.#printAll(this.#waiting.map(describeMessage)),
      ...this.#memberCommands(),
      ...this.#membershipCommands(),
      ...this.#faultCommands(),
    };
  }

  run(line: string): string {
    const [name = '', ...args] = line.split(/\s+/);
    const command = this.#commands[name];
    if (command === undefined) throw new Error(`no such command: ${line}`);
    this.#lines = [];
    command(args);
    return this.#lines.length > 0 ? this.#lines.join('\n') : 'ok';
  }

  #memberCommands(): Record<string, Command> {
    return {
      propose: ([id, ...texts]) => this.#member(id).propose(texts),
      read: ([id]) => this.#member(id).read(),
      transfer: ([id, to]) => {
        const hasBegun = this.#member(id).core.transferLeadership(to === undefined ? null : Number(to));
        if (!hasBegun) this.#lines.push('cannot');
      },
      snapshot: ([id, keep]) => this.#member(id).takeSnapshot(Number(keep ?? 0)),
      status: () => this.#printAll(this.#up().map(({ core }) => describeStatus(core.status()))),
      log: ([id]) => {
        const { base, entries } = this.#member(id).stored;
        this.#lines.push(
          `after ${String(base.point.index)}/${String(base.point.term)}: ${describeEntries(entries)}`,
        );
      },
      state: () => {
        for (const [id, { state }] of this.#members)
          this.#lines.push(`${String(id)}: ${state === '' ? '-' : state}`);
      },
    };
  }

  #membershipCommands(): Record<string, Command> {
    return {
      member: ([id]) => this.#start(Number(id), emptyConfiguration),
      add: ([at, id, ...rest]) => {
        const place = rest.indexOf('for');
        const replaces = place < 0 ? 0 : Number(rest[place + 1]);
        const seat = /^\d+$/.test(rest[0] ?? '') ? Number(rest[0]) : Number(id);
        const isPromotedItself = !rest.includes('waits');
        this.#change(at, { kind: 'add', member: { id: Number(id), seat }, isPromotedItself, replaces });
      },
      promote: ([at, id]) => this.#change(at, { kind: 'promote', id: Number(id) }),
      remove: ([at, id]) => this.#change(at, { kind: 'remove', id: Number(id) }),
      configurations: () => {
        for (const { core } of this.#up()) {
          const { id, configuration, configurationIndex } = core.status();
          this.#lines.push(
            `${String(id)}: ${describeConfiguration(configuration)} at ${String(configurationIndex)}`,
          );
        }
      },
      progress: ([id]) => this.#printAll(this.#member(id).core.status().progress.map(describeProgress)),
    };
  }

  #faultCommands(): Record<string, Command> {
    return {
      cut: ([a, b]) => this.#cut(Number(a), Number(b)),
      isolate: ([id]) => {
        for (const other of this.#members.keys()) if (other !== Number(id)) this.#cut(Number(id), other);
      },
      heal: () => this.#cuts.clear(),
      crash: ([id]) => this.#member(id).crash(),
      restart: ([id]) => this.#member(id).restart(),
      disk: ([id, how]) => {
        this.#member(id).isDiskStopped = how === 'stop';
      },
    };
  }

  #create([size, oneByOne]: readonly string[]): void {
    const ids = Array.from({ length: Number(size) }, (_, i) => i + 1);
    if (oneByOne !== undefined) this.#limits = { ...defaultLimits, appendBytesMax: 1 };
    const configuration = configurationOf(ids.map((id) => ({ id, seat: id })));
    for (const id of ids) this.#start(id, configuration);
  }

  #start(id: number, configuration: Configuration): void {
    const print = (line: string): void => void this.#lines.push(line);
    const send = (messages: readonly Message[]): void => void this.#waiting.push(...messages);
    this.#members.set(id, new ScenarioMember({ id, configuration, limits: this.#limits, print, send }));
  }

  #change(at: string | undefined, change: Change): void {
    const result = this.#member(at).core.changeConfiguration(change);
    if (result.kind === 'proposed') return;
    const { kind: _, reason, ...details } = result;
    const told = Object.entries(details).map(([name, value]) => ` ${name}=${String(value)}`);
    this.#lines.push(`refused: ${reason}${told.join('')}`);
  }

  /** A candidate begins anew after 10 to 19 ticks. */
  #timeOut(member: ScenarioMember): void {
    const isFollower = (): boolean => member.core.status().role === 'follower';
    if (!isFollower()) {
      this.#tickTimes(member, 19);
      return;
    }
    for (let ticks = 0; ticks < 20 && isFollower(); ticks += 1) member.core.tick();
  }

  #tickTimes({ core }: ScenarioMember, count: number): void {
    for (let i = 0; i < count; i += 1) core.tick();
  }

  #tick(who: string | undefined, count: number): void {
    const members = who === 'all' ? this.#up() : [this.#member(who)];
    for (const member of members) this.#tickTimes(member, count);
  }

  #settle(isQuiet: boolean): void {
    for (let round = 0; round < 500; round += 1) {
      const isAnythingDone = [...this.#members.values()].map((member) => member.turn()).some(Boolean);
      const messages = this.#waiting;
      this.#waiting = [];
      this.#deliver(messages);
      if (!isAnythingDone && messages.length === 0) break;
      if (round === 499) throw new Error('it does not settle');
    }
    if (isQuiet) this.#lines = [];
  }

  #takeWaiting(link: string | undefined, count = 'all'): Message[] {
    const isOnLink = ({ from, to }: Message): boolean =>
      [linkName(from, to), linkName(from, '*')].includes(link ?? '');
    const onLink = this.#waiting.filter(isOnLink);
    const taken = count === 'all' ? onLink : onLink.slice(0, Number(count));
    this.#waiting = this.#waiting.filter((message) => !taken.includes(message));
    return taken;
  }

  #deliver(messages: readonly Message[]): void {
    for (const message of messages) {
      const receiver = this.#members.get(message.to);
      const isCut = this.#cuts.has(linkName(message.from, message.to));
      if (isCut || receiver?.isUp !== true) continue;
      this.#lines.push(describeMessage(message));
      receiver.core.step(message);
    }
  }

  #repeat(link: string | undefined): void {
    const messages = this.#takeWaiting(link);
    this.#deliver(messages);
    this.#waiting.push(...messages);
  }

  #drop(messages: readonly Message[]): void {
    this.#printAll(messages.map((message) => `lost: ${describeMessage(message)}`));
  }

  #cut(a: number, b: number): void {
    this.#cuts.add(linkName(a, b));
    this.#cuts.add(linkName(b, a));
  }

  #member(id: string | undefined): ScenarioMember {
    const member = this.#members.get(Number(id));
    if (member === undefined) throw new Error(`no member ${String(id)}`);
    return member;
  }
  #up(): ScenarioMember[] {
    return [...this.#members.values()].filter(({ isUp }) => isUp);
  }
  #printAll(lines: readonly string[]): void {
    this.#lines.push(...lines);
  }
}

function linkName(from: number, to: number | '*'): string {
  return `${String(from)}>${String(to)}`;
}
