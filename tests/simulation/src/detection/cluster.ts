/**
 * Failure detection as a whole in simulated time: members, three detectors and the coordinators' leader, over a network
 * that loses messages and is cut. What decides is the real code: detectors, voters and the tally.
 */
import {
  VOTE_COUNTS_MS,
  VerdictTally,
  type Ballot,
  type MemberAssessment,
  type ProbeOrder,
} from '@ringleader/failure-detection';
import { seededPrng, type Prng } from '@ringleader/primitives';
import { EventQueue } from '@ringleader/testing-simulation';
import { Judge, type Measures, type Verdict } from './judge.js';
import { Process, SimulatedDetector, SimulatedMember, type DetectorOutlet } from './processes.js';
import { DETECTORS, MEMBERS, type Profile, type Trouble } from './profile.js';

const MS_PER_HOUR = 3_600_000;
const DELAY_MS = { min: 1, max: 5 };
/** Of a probe's round, what the one who is asked has: as in the shell. */
const ASKED_SHARE = 0.7;
/** A commit of the coordinators. */
const COMMIT_MS = 5;

export class DetectionCluster implements DetectorOutlet {
  readonly queue = new EventQueue();
  readonly #profile: Profile;
  readonly #prng: Prng;
  readonly #members: readonly SimulatedMember[];
  readonly #detectors: readonly SimulatedDetector[];
  readonly #leader: Process;
  readonly #tally = new VerdictTally<null>(VOTE_COUNTS_MS);
  readonly #verdicts = new Map<string, Verdict>();
  readonly #judge: Judge;
  /** The detectors and this one do not hear each other. */
  #severed: SimulatedMember | null = null;

  constructor(profile: Profile, seed: number, isStrict: boolean) {
    this.#profile = profile;
    this.#prng = seededPrng(seed);
    this.#leader = new Process('coordinator', this.queue);
    this.#members = MEMBERS.map(
      (name) => new SimulatedMember(name, this.queue, this.#prng, (member) => this.#beat(member)),
    );
    const { settings } = profile;
    this.#detectors = Array.from({ length: DETECTORS }, (_, i) => {
      const options = { settings, seed: seed * DETECTORS + i, outlet: this };
      return new SimulatedDetector(`failure-detector/failure-detector-${String(i + 1)}`, this.queue, options);
    });
    const isDisturbed = profile.loss > 0 || profile.starvation.perHour > 0;
    this.#judge = new Judge(this.#detectors, { inTime: isStrict && !isDisturbed, isStrict });
  }

  run(): Measures {
    const { settings, hours } = this.#profile;
    for (const member of this.#members) member.run(settings.heartbeatIntervalMs);
    for (const detector of this.#detectors) {
      detector.core.list(new Set(MEMBERS), this.queue.now);
      detector.run();
    }
    this.#plan();
    this.queue.runUntil(hours * MS_PER_HOUR);
    return this.#judge.measures;
  }

  probe(from: SimulatedDetector, { round, member, probers, withinMs, suspectedAt }: ProbeOrder): void {
    const suspect = this.#member(member);
    const report = (by: string, isAnswered: boolean): void =>
      void from.core.probed({ round, member, by, isAnswered }, this.queue.now);
    this.#ping(from, suspect, suspectedAt, () => report(from.name, true));
    for (const name of probers) {
      const prober = this.#member(name);
      this.#send(from, prober, () => {
        if (!prober.isAlive) return;
        let isAnswered = false;
        this.#ping(prober, suspect, suspectedAt, () => {
          isAnswered = true;
          this.#send(prober, from, () => report(name, true));
        });
        this.queue.after(withinMs * ASKED_SHARE, () =>
          prober.receive(() => {
            if (!isAnswered) this.#send(prober, from, () => report(name, false));
          }),
        );
      });
    }
  }

  report(from: SimulatedDetector): void {
    const { assessments } = from;
    for (const other of this.#detectors) {
      if (other === from) continue;
      this.#send(from, other, () => {
        for (const { member, state, instance, incarnation } of assessments) {
          if (state === 'unknown') continue;
          const said = { suspects: state !== 'alive', instance, incarnation };
          other.core.confirm(member, from.name, said, this.queue.now);
        }
      });
    }
  }

  vote(from: SimulatedDetector, named: readonly MemberAssessment[]): void {
    const sequence = from.voteSequence;
    const ballots = new Map(named.flatMap(ballotOf));
    const vote = { instance: from.name, sequence, ballots, unheard: new Set<string>() };
    // Nothing that could change a verdict: the way of this vote is left out, not its being counted.
    if (named.length === 0 && this.#verdicts.size === 0 && this.#isThrough(from, this.#leader)) {
      this.#tally.take(from.name, vote, this.queue.now);
      return;
    }
    this.#send(from, this.#leader, () => {
      if (this.#tally.take(from.name, vote, this.queue.now)) this.#count();
    });
  }

  #count(): void {
    const { now } = this.queue;
    for (const name of new Set([...this.#tally.mentioned(now), ...this.#verdicts.keys()])) {
      const member = this.#member(name);
      // The lease of a dead process lasts longer than what is measured here.
      const judgement = this.#tally.judge(
        name,
        { registered: member.instance, quorum: this.#profile.quorum },
        now,
      );
      if (judgement !== null && judgement.verdict !== this.#verdict(name))
        this.#write(member, judgement.verdict);
    }
  }

  #write(member: SimulatedMember, verdict: Verdict): void {
    this.#setVerdict(member.name, verdict);
    const { instance } = member;
    this.queue.after(COMMIT_MS, () => {
      if (instance === member.instance) this.#judge.verdict(member, verdict, this.queue.now);
    });
  }

  #verdict(name: string): Verdict {
    return this.#verdicts.get(name) ?? 'alive';
  }

  #setVerdict(name: string, verdict: Verdict): void {
    if (verdict === 'alive') this.#verdicts.delete(name);
    else this.#verdicts.set(name, verdict);
  }

  #beat(member: SimulatedMember): void {
    if (member === this.#severed || this.#isLost()) return;
    const { instance, sequence, incarnation, name } = member;
    const beat = { instance, sequence, ...(this.#profile.answersPings && { incarnation }) };
    for (const detector of this.#detectors) {
      if (detector.side === member.side) detector.hear(name, beat);
    }
  }

  #ping(from: Process, to: SimulatedMember, suspectedAt: number | null, answered: () => void): void {
    this.#send(from, to, () => {
      if (to.answer(suspectedAt)) this.#send(to, from, answered);
    });
  }

  #send(from: Process, to: Process, handle: () => void): void {
    if (!this.#isThrough(from, to)) return;
    const delayMs = DELAY_MS.min + this.#prng.nextFloat() * (DELAY_MS.max - DELAY_MS.min);
    this.queue.after(delayMs, () => to.receive(handle));
  }

  #isThrough(from: Process, to: Process): boolean {
    const isSevered =
      (from === this.#severed && to instanceof SimulatedDetector) ||
      (to === this.#severed && from instanceof SimulatedDetector);
    return from.side === to.side && !isSevered && !this.#isLost();
  }

  #isLost(): boolean {
    return this.#profile.loss > 0 && this.#prng.nextFloat() < this.#profile.loss;
  }

  #member(name: string): SimulatedMember {
    const found = this.#members.find((one) => one.name === name);
    if (found === undefined) throw new Error(`${name} is no member`);
    return found;
  }

  #anyMember(): SimulatedMember {
    return this.#member(MEMBERS[this.#prng.nextBelow(MEMBERS.length)] ?? MEMBERS[0]);
  }

  #plan(): void {
    const { pauses, starvation, kills, cuts, severed } = this.#profile;
    for (const member of this.#members) this.#repeat(pauses, (ms) => member.standStill(ms));
    this.#repeat(starvation, (ms) => {
      for (const detector of this.#detectors) this.#starve(detector, this.queue.now + ms);
    });
    this.#repeat(kills, (ms) => this.#kill(ms));
    this.#repeat(cuts, (ms) => this.#cut(ms));
    this.#repeat(severed, (ms) => {
      this.#severed = this.#anyMember();
      this.queue.after(ms, () => (this.#severed = null));
    });
  }

  #repeat({ perHour, minMs, maxMs }: Trouble, begin: (ms: number) => void): void {
    if (perHour === 0) return;
    const waitMs = (-Math.log(1 - this.#prng.nextFloat()) * MS_PER_HOUR) / perHour;
    this.queue.after(waitMs, () => {
      const ms = minMs + this.#prng.nextFloat() * (maxMs - minMs);
      begin(ms);
      // One after the other: the next one comes when this one is over.
      this.queue.after(ms, () => this.#repeat({ perHour, minMs, maxMs }, begin));
    });
  }

  #starve(detector: SimulatedDetector, untilMs: number): void {
    if (this.queue.now >= untilMs) return;
    const { sliceMaxMs, waitMinMs, waitMaxMs } = this.#profile.starved;
    const waitMs = waitMinMs + this.#prng.nextFloat() * (waitMaxMs - waitMinMs);
    detector.standStill(waitMs);
    const sliceMs = this.#prng.nextFloat() * sliceMaxMs;
    this.queue.after(waitMs + sliceMs, () => this.#starve(detector, untilMs));
  }

  #kill(forMs: number): void {
    const member = this.#anyMember();
    member.kill();
    for (const deadMs of [1_000, 3_000]) {
      this.queue.after(deadMs, () => this.#judge.late(member, this.#verdict(member.name), deadMs));
    }
    this.queue.after(forMs, () => {
      member.revive();
      // It registers as another process.
      this.#setVerdict(member.name, 'alive');
      member.run(this.#profile.settings.heartbeatIntervalMs);
    });
  }

  #cut(forMs: number): void {
    const all: readonly Process[] = [this.#leader, ...this.#detectors, ...this.#members];
    for (const one of all) one.side = this.#prng.nextBelow(2);
    this.#judge.cut(this.queue.now, this.queue.now + forMs, this.#leader.side);
    this.queue.after(forMs, () => {
      for (const one of all) one.side = 0;
      this.#judge.healed();
    });
  }
}

function ballotOf(assessment: MemberAssessment): [] | [[string, Ballot<null>]] {
  const { member, state, instance, incarnation } = assessment;
  if (state === 'unknown') return [];
  return [[member, { verdict: state, instance, incarnation, evidence: null }]];
}
