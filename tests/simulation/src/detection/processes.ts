/** What runs in a simulated cluster: members that beat and answer, and detectors that listen. */
import {
  FailureDetector,
  Voter,
  type Beat,
  type DetectorSettings,
  type MemberAssessment,
  type ProbeOrder,
} from '@ringleader/failure-detection';
import { seededPrng, type Prng } from '@ringleader/primitives';
import type { EventQueue } from '@ringleader/testing-simulation';

/** A process that may stand still, and that is on one side of the network. */
export class Process {
  side = 0;
  /** It stands still until then. */
  stillUntil = 0;
  /** So long it has stood still last. */
  stoodStillMs = 0;

  constructor(
    readonly name: string,
    protected readonly queue: EventQueue,
  ) {}

  standStill(ms: number): void {
    this.stillUntil = Math.max(this.stillUntil, this.queue.now + ms);
    this.stoodStillMs = ms;
  }

  /** What comes while it stands still waits. */
  receive(handle: () => void): void {
    if (this.queue.now >= this.stillUntil) handle();
    else this.queue.at(this.stillUntil, () => this.receive(handle));
  }
}

const BEAT_LATE_MAX_MS = 5;

export class SimulatedMember extends Process {
  isAlive = true;
  killedAt = 0;
  instance = 'process-1';
  incarnation = 1;
  sequence = 0;
  #starts = 1;

  constructor(
    name: string,
    queue: EventQueue,
    private readonly prng: Prng,
    private readonly beat: (member: SimulatedMember) => void,
  ) {
    super(name, queue);
  }

  /** Heartbeats every so often, a little late each, until it is killed. */
  run(intervalMs: number): void {
    const { instance } = this;
    const next = (): void => {
      if (!this.isAlive || instance !== this.instance) return;
      if (this.queue.now < this.stillUntil) return void this.queue.at(this.stillUntil, next);
      this.sequence += 1;
      this.beat(this);
      this.queue.after(intervalMs + this.prng.nextFloat() * BEAT_LATE_MAX_MS, next);
    };
    this.queue.after(this.prng.nextFloat() * intervalMs, next);
  }

  kill(): void {
    this.isAlive = false;
    this.killedAt = this.queue.now;
  }

  revive(): void {
    this.#starts += 1;
    this.instance = `process-${String(this.#starts)}`;
    this.isAlive = true;
    this.incarnation = 1;
    this.sequence = 0;
  }

  /** Null: nobody is there. */
  answer(suspectedAt: number | null): boolean {
    if (!this.isAlive) return false;
    if (suspectedAt === this.incarnation) this.incarnation += 1;
    return true;
  }
}

/** Where what a detector has to say goes. */
export interface DetectorOutlet {
  probe(from: SimulatedDetector, order: ProbeOrder): void;
  report(from: SimulatedDetector): void;
  vote(from: SimulatedDetector, named: readonly MemberAssessment[]): void;
}

const REPORT_INTERVAL_MS = 250;
/** Of a message that has waited, on a processor that is busy. */
const READ_MS = 2;
const VOTE_QUIET_INTERVAL_MS = 500;

export class SimulatedDetector extends Process {
  readonly core: FailureDetector;
  readonly #voter = new Voter();
  readonly #settings: DetectorSettings;
  readonly #outlet: DetectorOutlet;
  readonly #backlog: (() => void)[] = [];
  #assessments: readonly MemberAssessment[] = [];
  #nextReportAt = 0;
  #nextVoteAt = 0;
  voteSequence = 0;
  /** When it last held that of a member. */
  readonly doubtedAt = new Map<string, { suspect: number; down: number }>();

  constructor(
    name: string,
    queue: EventQueue,
    { settings, seed, outlet }: { settings: DetectorSettings; seed: number; outlet: DetectorOutlet },
  ) {
    super(name, queue);
    this.#settings = settings;
    this.#outlet = outlet;
    this.core = new FailureDetector({ settings, self: name, prng: seededPrng(seed) });
  }

  get assessments(): readonly MemberAssessment[] {
    return this.#assessments;
  }

  run(): void {
    this.queue.after(this.#settings.tickMs, this.#tick);
  }

  /** When it is scheduled again, its timers fire before it reads what has come. */
  override standStill(ms: number): void {
    const wasStill = this.queue.now < this.stillUntil;
    super.standStill(ms);
    if (!wasStill) this.queue.at(this.stillUntil, this.#wake);
  }

  override receive(handle: () => void): void {
    if (this.#isFree) handle();
    else this.#backlog.push(handle);
  }

  hear(member: string, beat: Beat): void {
    if (this.#isFree) this.core.beat(member, beat, this.queue.now);
    else this.#backlog.push(() => void this.core.beat(member, beat, this.queue.now));
  }

  get #isFree(): boolean {
    return this.queue.now >= this.stillUntil && this.#backlog.length === 0;
  }

  readonly #wake = (): void => {
    if (this.queue.now < this.stillUntil) return void this.queue.at(this.stillUntil, this.#wake);
    this.#look();
    this.#read();
  };

  /** What has come, one by one, until it stands still again. */
  readonly #read = (): void => {
    if (this.queue.now < this.stillUntil) return;
    this.#backlog.shift()?.();
    if (this.#backlog.length > 0) this.queue.after(READ_MS, this.#read);
  };

  readonly #tick = (): void => {
    const { now } = this.queue;
    const { tickMs, tickToleranceMs } = this.#settings;
    if (now < this.stillUntil) return void this.queue.at(this.stillUntil, this.#tick);
    const quietMs = this.#look() - now;
    // Ticks that would find nothing are left out, as many as it does not take for a pause of its own.
    const leftOut = Math.max(0, Math.floor(Math.min(quietMs, tickToleranceMs) / tickMs) - 1);
    this.queue.after(tickMs * (1 + leftOut), this.#tick);
  };

  /** Until when there is nothing to be seen. */
  #look(): number {
    const { now } = this.queue;
    const quietUntil = this.core.quietUntil(now);
    if (quietUntil <= now) {
      this.#assessments = this.core.assess(now, 2);
      this.#note(now);
      for (const order of this.core.takeOrders()) this.#outlet.probe(this, order);
      if (now >= this.#nextReportAt) {
        this.#nextReportAt = now + REPORT_INTERVAL_MS;
        this.#outlet.report(this);
      }
    }
    if (quietUntil <= now || now >= this.#nextVoteAt) this.#vote(now);
    return quietUntil;
  }

  #note(now: number): void {
    for (const { member, state } of this.#assessments) {
      if (state !== 'suspect' && state !== 'down') continue;
      const doubted = this.doubtedAt.get(member) ?? { suspect: -Infinity, down: -Infinity };
      doubted.suspect = now;
      if (state === 'down') doubted.down = now;
      this.doubtedAt.set(member, doubted);
    }
  }

  #vote(now: number): void {
    this.#nextVoteAt = now + VOTE_QUIET_INTERVAL_MS;
    const due = this.#voter.take(this.#assessments, now, false);
    if (due === null) return;
    this.voteSequence += 1;
    this.#outlet.vote(this, due.named);
  }
}
