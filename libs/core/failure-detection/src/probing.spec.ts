import { beforeEach, describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { DETECTOR_DEFAULTS, FailureDetector, type MemberAssessment, type ProbeOrder } from './index.js';

const SELF = 'failure-detector-1';
const SUSPECT = 'shard-1';
const OTHERS = ['shard-2', 'shard-3', 'gateway-1', 'coordinator-1'];

type Answer = boolean | 'mute';

/** A detector among members that all answer pings, ticked all the time. */
class Bench {
  detector = new FailureDetector({ settings: DETECTOR_DEFAULTS, self: SELF, prng: seededPrng(7) });
  now = 1_000;
  readonly orders: ProbeOrder[] = [];
  #sequence = 0;
  /** What comes of a probe of the suspect by this member. */
  answer: (by: string) => Answer = () => false;
  incarnation: number | undefined = 1;

  pass(ms: number, silent: readonly string[] = [SUSPECT]): void {
    for (const end = this.now + ms; this.now < end;) {
      this.now += DETECTOR_DEFAULTS.tickMs;
      if (this.now % DETECTOR_DEFAULTS.heartbeatIntervalMs === 0) this.#beat(silent);
      this.detector.assess(this.now, 2);
      this.#probe();
    }
  }

  assess(member = SUSPECT): MemberAssessment {
    const found = this.detector.assess(this.now, 2).find((one) => one.member === member);
    if (found === undefined) throw new Error(`${member} is not known`);
    return found;
  }

  timeTo(state: string): number {
    const start = this.now;
    while (this.assess().state !== state) {
      if (this.now - start > 60_000) throw new Error(`never ${state}`);
      this.pass(DETECTOR_DEFAULTS.tickMs);
    }
    return this.now - start;
  }

  #beat(silent: readonly string[]): void {
    this.#sequence += 1;
    for (const member of [SUSPECT, ...OTHERS]) {
      if (silent.includes(member)) continue;
      const incarnation = member === SUSPECT ? this.incarnation : 1;
      this.detector.beat(member, { instance: member, sequence: this.#sequence, incarnation }, this.now);
    }
  }

  #probe(): void {
    for (const order of this.detector.takeOrders()) {
      this.orders.push(order);
      for (const by of [SELF, ...order.probers]) {
        const isAnswered = this.answer(by);
        if (isAnswered === 'mute' || (by === SELF && !isAnswered)) continue;
        this.detector.probed({ round: order.round, member: order.member, by, isAnswered }, this.now);
      }
    }
  }
}

describe('probes', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
    bench.pass(10_000, []);
  });

  it('are made of nobody who beats', () => {
    expect(bench.orders).toEqual([]);
  });

  it('come before the suspicion, by three others besides the detector, and do not delay it', () => {
    expect(bench.timeTo('suspect')).toBeLessThan(950);
    const [first] = bench.orders;
    expect(first).toMatchObject({ member: SUSPECT, suspectedAt: null });
    expect(new Set(first?.probers).size).toBe(3);
    expect(OTHERS).toEqual(expect.arrayContaining([...(first?.probers ?? [])]));
    const { probes, missedBeats, instance, incarnation } = bench.assess();
    expect(probes).toHaveLength(4);
    expect(probes).toContainEqual({ by: SELF, outcome: 'silent' });
    expect(new Set(probes.map(({ outcome }) => outcome))).toEqual(new Set(['silent']));
    expect({ missedBeats, instance, incarnation }).toEqual({
      missedBeats: 3,
      instance: SUSPECT,
      incarnation: 1,
    });
  });

  it.each([SELF, 'shard-3'])(
    'of which one is answered keep it alive for as long as that goes on: by %s',
    (who) => {
      // Whichever three are asked.
      bench.answer = (by) => by === who || (who !== SELF && by !== SELF);
      for (let i = 0; i < 200; i++) {
        bench.pass(100);
        expect(bench.assess().state).toBe('alive');
      }
      expect(bench.assess().phi).toBeGreaterThan(DETECTOR_DEFAULTS.phiThreshold);
      bench.answer = () => false;
      expect(bench.timeTo('suspect')).toBeLessThanOrEqual(
        DETECTOR_DEFAULTS.probing.answerCountsMs + DETECTOR_DEFAULTS.probing.roundMs,
      );
    },
  );

  it('end a suspicion, which then begins anew', () => {
    bench.timeTo('suspect');
    bench.pass(1_000);
    bench.answer = (by) => by === SELF;
    bench.timeTo('alive');
    bench.answer = () => false;
    bench.timeTo('suspect');
    expect(bench.timeTo('down')).toBe(DETECTOR_DEFAULTS.suspicionMaxMs);
  });

  it('tell the suspect that it is one, and under which incarnation', () => {
    bench.incarnation = 4;
    bench.pass(1_000, []);
    bench.timeTo('suspect');
    bench.pass(500);
    expect(bench.orders.at(-1)?.suspectedAt).toBe(4);
  });

  it('are rare once it is down', () => {
    bench.timeTo('down');
    const before = bench.orders.length;
    bench.pass(20_000);
    expect(bench.orders.length - before).toBe(20_000 / DETECTOR_DEFAULTS.probing.downIntervalMs);
  });

  it('do not count of a member that does not know of them', () => {
    const older = new Bench();
    older.incarnation = undefined;
    older.pass(10_000, []);
    expect(older.timeTo('suspect')).toBeLessThan(950);
    expect(older.orders).toEqual([]);
    expect(older.assess().probes).toEqual([{ by: SELF, outcome: 'notAsked' }]);
  });

  it('are asked of nobody who does not know of them, is silent or suspected', () => {
    const silent = [SUSPECT, 'shard-2', 'shard-3'];
    bench.pass(900, silent);
    expect(bench.orders.flatMap(({ probers }) => probers)).not.toContain('shard-2');
    expect(bench.orders[0]?.probers).toHaveLength(2);
  });

  it('of which nobody who was asked says anything make the detector doubt itself, once a second', () => {
    bench.answer = () => 'mute';
    bench.pass(900, [SUSPECT, 'shard-2']);
    expect(bench.detector.distrust).toBe(1);
    expect(bench.assess().probes).toContainEqual({ by: expect.any(String), outcome: 'mute' });
    bench.pass(5_000);
    expect(bench.assess().state).not.toBe('alive');
  });

  it('take no answer for an earlier round, or from who was not asked', () => {
    bench.pass(600);
    const { round, probers } = bench.orders[0]!;
    const report = { member: SUSPECT, isAnswered: true };
    expect(bench.detector.probed({ ...report, round, by: 'stranger' }, bench.now)).toBe(false);
    expect(bench.detector.probed({ ...report, round: round + 1, by: SELF }, bench.now)).toBe(false);
    bench.pass(250);
    expect(bench.detector.probed({ ...report, round, by: probers[0]! }, bench.now)).toBe(false);
  });
});

describe('an incarnation', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
    bench.pass(10_000, []);
    bench.timeTo('suspect');
  });
  const say = (suspects: boolean, incarnation: number, instance = SUSPECT): void => {
    for (const detector of ['failure-detector-2', 'failure-detector-3']) {
      bench.detector.confirm(SUSPECT, detector, { suspects, instance, incarnation }, bench.now);
    }
  };

  it('that is higher, and alive to another detector, refutes a suspicion once', () => {
    say(false, 2);
    expect(bench.assess().state).toBe('alive');
    bench.timeTo('suspect');
    expect(bench.assess().incarnation).toBe(2);
    say(false, 2);
    expect(bench.assess().state).toBe('suspect');
  });

  it('that is the same, lower or of another process refutes nothing', () => {
    say(false, 1);
    say(false, 9, 'another process');
    expect(bench.assess().state).toBe('suspect');
  });

  it('that is lower confirms nothing', () => {
    say(false, 2);
    bench.timeTo('suspect');
    say(true, 1);
    expect(bench.timeTo('down')).toBe(DETECTOR_DEFAULTS.suspicionMaxMs);
  });

  it('that is the same does', () => {
    say(true, 1);
    expect(bench.timeTo('down')).toBe(DETECTOR_DEFAULTS.suspicionMinMs);
  });
});

describe('a member that goes to and fro', () => {
  it('stays a suspect, but is never held down, until it has been still for a while', () => {
    const bench = new Bench();
    bench.pass(10_000, []);
    for (let i = 0; i < 5; i++) {
      bench.timeTo('suspect');
      bench.pass(250, []);
    }
    expect(bench.assess()).toMatchObject({ state: 'suspect', isHeld: true });
    let held = 0;
    while (bench.assess().isHeld) {
      expect(bench.assess().state).toBe('suspect');
      bench.pass(1_000, []);
      held += 1;
    }
    expect(held).toBeGreaterThan(10);
    expect(held).toBeLessThanOrEqual(60);
    expect(bench.assess()).toMatchObject({ state: 'alive', isHeld: false });
  });
});

describe('a detector to which all is quiet', () => {
  it('would say what it said last', () => {
    const bench = new Bench();
    bench.pass(10_000, []);
    const { now } = bench;
    const until = bench.detector.quietUntil(now);
    expect(until).toBeGreaterThan(now + DETECTOR_DEFAULTS.heartbeatIntervalMs);
    bench.pass(until - now - DETECTOR_DEFAULTS.tickMs);
    expect(bench.orders).toEqual([]);
    expect(bench.detector.quietUntil(bench.now)).toBe(until);
    bench.pass(2 * DETECTOR_DEFAULTS.tickMs);
    expect(bench.orders).toHaveLength(1);
    expect(bench.detector.quietUntil(bench.now)).toBe(bench.now);
  });
});
