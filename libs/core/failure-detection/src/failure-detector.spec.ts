import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { DETECTOR_DEFAULTS, FailureDetector, type DetectorSettings, type MemberState } from './index.js';

/** Drives a detector as its shell does: ticks all the time, heartbeats in between. */
class Bench {
  readonly detector: FailureDetector;
  now = 1_000;
  #sequence = 0;

  constructor(
    readonly settings: DetectorSettings = DETECTOR_DEFAULTS,
    readonly otherDetectors = 0,
  ) {
    this.detector = new FailureDetector({ settings, self: 'detector-1', prng: seededPrng(1) });
  }

  beat(instance = 'first', member = 'shard-1'): boolean {
    this.#sequence += 1;
    return this.detector.beat(member, { instance, sequence: this.#sequence }, this.now);
  }

  /** Lets time pass, awake. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) {
      this.now = Math.min(end, this.now + this.settings.tickMs);
      this.state();
    }
  }

  /** Heartbeats at these distances. */
  beatAfter(...intervals: number[]): void {
    for (const interval of intervals) {
      this.pass(interval);
      this.beat();
    }
  }

  /** Lets time pass without one tick. */
  freeze(ms: number): void {
    this.now += ms;
  }

  state(member = 'shard-1'): MemberState | undefined {
    const found = this.detector.assess(this.now, this.otherDetectors).find((one) => one.member === member);
    return found?.state;
  }

  /** How long until the member is in that state, in ticks. */
  timeTo(state: MemberState): number {
    const start = this.now;
    while (this.state() !== state) {
      if (this.now - start > 60_000) throw new Error(`never ${state}`);
      this.pass(this.settings.tickMs);
    }
    return this.now - start;
  }
}

const regular = (count: number, interval = 250): number[] => Array<number>(count).fill(interval);

describe('FailureDetector', () => {
  it('suspects a member in under a second after its last heartbeat, and holds it to be down later', () => {
    const bench = new Bench();
    bench.beatAfter(...regular(50));
    expect(bench.state()).toBe('alive');
    const suspectedAfter = bench.timeTo('suspect');
    expect(suspectedAfter).toBeGreaterThan(600);
    expect(suspectedAfter).toBeLessThan(1_000);
    expect(bench.timeTo('down')).toBe(DETECTOR_DEFAULTS.suspicionMinMs);
  });

  it('suspects after the very first heartbeat too', () => {
    const bench = new Bench();
    bench.beat();
    expect(bench.timeTo('suspect')).toBeLessThan(1_000);
  });

  it('takes a member that beats again for alive at once, and does not learn from the outage', () => {
    const bench = new Bench();
    bench.beatAfter(...regular(20));
    bench.timeTo('down');
    bench.beat();
    expect(bench.state()).toBe('alive');
    expect(bench.timeTo('suspect')).toBeLessThan(1_000);
  });

  it('waits longer for a member whose heartbeats are irregular', () => {
    const even = new Bench();
    even.beatAfter(...regular(40));
    const uneven = new Bench();
    uneven.beatAfter(...Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 100 : 600)));
    expect(uneven.timeTo('suspect')).toBeGreaterThan(even.timeTo('suspect'));
  });

  it('gives a registered member a grace for its first heartbeat, then suspects it', () => {
    const bench = new Bench();
    bench.detector.list(new Set(['shard-1']), bench.now);
    expect(bench.state()).toBe('unknown');
    bench.pass(DETECTOR_DEFAULTS.firstHeartbeatGraceMs);
    expect(bench.state()).toBe('unknown');
    expect(bench.timeTo('suspect')).toBeLessThan(1_000);
    expect(bench.detector.assess(bench.now, 0)).toMatchObject([{ member: 'shard-1', silenceMs: null }]);
  });

  it('keeps watching a suspect whose registration ran out, for a while', () => {
    const bench = new Bench();
    bench.detector.list(new Set(['shard-1']), bench.now);
    bench.beatAfter(...regular(10));
    bench.timeTo('suspect');
    bench.detector.list(new Set(), bench.now);
    expect(bench.timeTo('down')).toBeLessThanOrEqual(DETECTOR_DEFAULTS.suspicionMinMs);
    bench.pass(DETECTOR_DEFAULTS.forgetUnlistedAfterMs);
    expect(bench.state()).toBeUndefined();
  });

  it('forgets a member that left the registry in order', () => {
    const bench = new Bench();
    bench.detector.list(new Set(['shard-1', 'shard-2']), bench.now);
    bench.beat();
    bench.detector.list(new Set(['shard-2']), bench.now);
    expect(bench.state()).toBeUndefined();
    expect(bench.state('shard-2')).toBe('unknown');
  });

  it('watches one that is not registered for as long as it beats, and a while more', () => {
    const bench = new Bench();
    bench.beatAfter(...regular(4));
    expect(bench.state()).toBe('alive');
    bench.pass(DETECTOR_DEFAULTS.forgetUnlistedAfterMs);
    expect(bench.state()).toBe('down');
    bench.pass(1_000);
    expect(bench.state()).toBeUndefined();
  });

  it('ignores repeats, late heartbeats and those of a process that was replaced', () => {
    const bench = new Bench();
    const beat = (instance: string, sequence: number, afterMs: number): boolean => {
      bench.pass(afterMs);
      return bench.detector.beat('shard-1', { instance, sequence }, bench.now);
    };
    expect(beat('a', 1, 0)).toBe(true);
    expect(beat('a', 3, 500)).toBe(true);
    expect(beat('a', 3, 10)).toBe(false);
    expect(beat('a', 2, 10)).toBe(false);
    expect(beat('b', 1, 900)).toBe(true);
    expect(beat('a', 4, 10)).toBe(false);
    expect(beat('b', 2, 240)).toBe(true);
  });

  describe('after a heartbeat that nothing explains', () => {
    const lie = (bench: Bench, instance: string, sequence: number): boolean =>
      bench.detector.beat('shard-1', { instance, sequence }, bench.now);
    const LIES: readonly [string, string, number][] = [
      ['a leap of the sequence', 'first', 2 ** 52],
      ['another process', 'forged', 7],
    ];

    it.each(LIES)('%s: does not believe one, and hears the member on', (_, instance, sequence) => {
      const bench = new Bench();
      bench.beatAfter(...regular(10));
      expect(lie(bench, instance, sequence)).toBe(false);
      for (const interval of regular(20)) {
        bench.pass(interval);
        expect(bench.beat()).toBe(true);
        expect(bench.state()).toBe('alive');
      }
    });

    it.each(LIES)('%s: though it was believed, the member is never silenced', (_, instance, sequence) => {
      const bench = new Bench();
      bench.beatAfter(...regular(10));
      lie(bench, instance, sequence);
      expect(lie(bench, instance, sequence + 1)).toBe(true);
      for (const interval of regular(40)) {
        bench.pass(interval);
        bench.beat();
        expect(bench.state()).toBe('alive');
      }
    });
  });

  it('hears a member again after a pause of its own in which thousands of heartbeats went by', () => {
    const { detector } = new Bench();
    detector.beat('m', { instance: 'a', sequence: 1 }, 0);
    expect(detector.beat('m', { instance: 'a', sequence: 90_000 }, 250)).toBe(false);
    expect(detector.beat('m', { instance: 'a', sequence: 90_001 }, 500)).toBe(true);
  });

  it('starts over with a restarted member', () => {
    const bench = new Bench();
    bench.beatAfter(...Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 100 : 700)));
    const before = bench.timeTo('suspect');
    bench.beat('second');
    expect(bench.timeTo('suspect')).toBeLessThan(before);
  });

  it('blames nobody for its own pause', () => {
    const bench = new Bench();
    bench.beatAfter(...regular(20));
    bench.freeze(30_000);
    expect(bench.state()).toBe('alive');
    expect(bench.detector.distrust).toBe(1);
  });

  it('does not count its own pause as an interval of others', () => {
    const bench = new Bench();
    for (let i = 0; i < 30; i++) {
      bench.beatAfter(...regular(3));
      bench.freeze(5_000);
      bench.beat();
    }
    bench.pass(10_000);
    bench.beatAfter(...regular(10));
    expect(bench.timeTo('suspect')).toBeLessThan(1_000);
  });

  it('is slower to suspect while it has reason to doubt itself, and recovers', () => {
    const bench = new Bench();
    bench.beatAfter(...regular(20));
    const confident = bench.timeTo('suspect');
    for (let i = 0; i < 3; i++) {
      bench.freeze(1_000);
      bench.state();
    }
    bench.beat();
    expect(bench.detector.distrust).toBe(3);
    expect(bench.timeTo('suspect')).toBeGreaterThan(confident + DETECTOR_DEFAULTS.heartbeatIntervalMs);
    bench.pass(3 * DETECTOR_DEFAULTS.healthRecoveryMs);
    expect(bench.detector.distrust).toBe(0);
  });

  it('goes from suspect to down sooner the more detectors agree', () => {
    const timeToDown = (confirmations: number): number => {
      const bench = new Bench(DETECTOR_DEFAULTS, 2);
      bench.beatAfter(...regular(20));
      bench.timeTo('suspect');
      for (let i = 0; i < confirmations; i++)
        bench.detector.confirm('shard-1', `detector-${i}`, { suspects: true }, bench.now);
      return bench.timeTo('down');
    };
    const [alone, one, both] = [timeToDown(0), timeToDown(1), timeToDown(2)];
    expect(alone).toBe(DETECTOR_DEFAULTS.suspicionMaxMs);
    expect(one).toBeLessThan(alone);
    expect(both).toBe(DETECTOR_DEFAULTS.suspicionMinMs);
  });

  it('forgets what a detector said that has fallen silent', () => {
    const bench = new Bench(DETECTOR_DEFAULTS, 1);
    bench.beatAfter(...regular(20));
    bench.timeTo('suspect');
    bench.detector.confirm('shard-1', 'detector-2', { suspects: true }, bench.now);
    bench.detector.forgetDetector('detector-2', bench.now);
    expect(bench.timeTo('down')).toBe(DETECTOR_DEFAULTS.suspicionMaxMs);
  });

  it('takes back a confirmation', () => {
    const bench = new Bench(DETECTOR_DEFAULTS, 1);
    bench.beatAfter(...regular(20));
    bench.timeTo('suspect');
    bench.detector.confirm('shard-1', 'detector-2', { suspects: true }, bench.now);
    bench.detector.confirm('shard-1', 'detector-2', { suspects: false }, bench.now);
    expect(bench.timeTo('down')).toBe(DETECTOR_DEFAULTS.suspicionMaxMs);
  });
});

/** The clock-driven scenarios of the Akka detector's specification. */
describe("FailureDetector in Akka's scenarios", () => {
  const settings = {
    ...DETECTOR_DEFAULTS,
    heartbeatIntervalMs: 1_000,
    suspicionMinMs: 1e9,
    forgetUnlistedAfterMs: 1e9,
  };

  it('is available after a series of heartbeats', () => {
    const bench = new Bench({ ...settings, phiThreshold: 3 });
    bench.beatAfter(0, 1_000, 100, 100);
    expect(bench.state()).toBe('alive');
  });

  it('is not when heartbeats are missed', () => {
    const bench = new Bench({ ...settings, phiThreshold: 3 });
    bench.beatAfter(0, 1_000, 100, 100);
    bench.pass(7_000);
    expect(bench.state()).toBe('suspect');
  });

  it('accepts the configured pause', () => {
    const bench = new Bench({ ...settings, acceptablePauseMs: 3_000 });
    bench.beatAfter(0, 1_000, 1_000, 1_000);
    bench.pass(4_000);
    expect(bench.state()).toBe('alive');
    bench.beatAfter(0, 1_000, 1_000);
    expect(bench.state()).toBe('alive');
  });

  it('fails after more than the configured pause', () => {
    const bench = new Bench({ ...settings, acceptablePauseMs: 3_000 });
    bench.beatAfter(0, ...regular(5, 1_000));
    bench.pass(500);
    expect(bench.state()).toBe('alive');
    bench.beatAfter(500);
    bench.pass(5_000);
    expect(bench.state()).toBe('suspect');
  });

  it('is available again when heartbeats start again after a failure', () => {
    const bench = new Bench({ ...settings, phiThreshold: 8, acceptablePauseMs: 3_000 });
    bench.beatAfter(0, ...regular(999, 1_000));
    bench.pass(5 * 60_000);
    expect(bench.state()).toBe('suspect');
    for (const [pause, state] of [
      [900, 'alive'],
      [7_000, 'suspect'],
      [900, 'alive'],
      [900, 'alive'],
    ] as const) {
      bench.beatAfter(100);
      bench.pass(pause);
      expect(bench.state()).toBe(state);
    }
  });

  it('remembers no more than its window', () => {
    const phiAfter = (...intervals: number[]): number => {
      const bench = new Bench({ ...settings, windowSize: 3 });
      bench.beatAfter(0, ...intervals);
      bench.pass(intervals.at(-1)!);
      return bench.detector.assess(bench.now, 0)[0]!.phi;
    };
    expect(phiAfter(100, 100, 100, 100, 700, 500, 500, 500)).toBeCloseTo(phiAfter(100, 100, 100), 3);
  });
});
