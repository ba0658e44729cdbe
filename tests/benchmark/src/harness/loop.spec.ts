import { describe, expect, it } from '@jest/globals';
import { Latencies, runLoop, type LoopOptions, type LoopResult } from './loop.js';

/** A server and a clock in one: time passes only while somebody waits for it. */
class Simulated {
  nowMs = 0;
  readonly sentAt: number[] = [];
  readonly #sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  #isRunning = false;

  readonly now = (): number => this.nowMs;

  readonly wait = (ms: number): Promise<void> =>
    new Promise((wake) => {
      this.#sleepers.push({ at: this.nowMs + ms, wake });
      void this.#run();
    });

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (;;) {
      // All that is ready goes on before time does.
      await new Promise((resolve) => setImmediate(resolve));
      this.#sleepers.sort((a, b) => a.at - b.at);
      const next = this.#sleepers.shift();
      if (next === undefined) break;
      this.nowMs = Math.max(this.nowMs, next.at);
      next.wake();
    }
    this.#isRunning = false;
  }

  options(serve: (n: number) => number): Pick<LoopOptions, 'now' | 'wait' | 'request'> {
    return {
      now: this.now,
      wait: this.wait,
      request: (_, n) => {
        this.sentAt.push(this.nowMs);
        return this.wait(serve(n));
      },
    };
  }
}

describe('a closed loop', () => {
  it('counts successes and failures apart, one request per worker at a time, of the measured part only', async () => {
    const world = new Simulated();
    let under = 0;
    let most = 0;
    const phases: string[] = [];
    const result = await runLoop({
      ...world.options(() => 2),
      workers: 3,
      warmUpMs: 10,
      durationMs: 50,
      onPhase: (phase) => phases.push(`${phase} at ${world.nowMs}`),
      request: async (_, n) => {
        most = Math.max(most, ++under);
        await world.wait(2);
        under -= 1;
        if (n % 2 === 1) throw new Error('refused');
      },
    });
    expect(most).toBe(3);
    // Those that end at 10, 12, ... 60.
    expect(result).toMatchObject({
      requests: 39,
      failures: 39,
      failure: 'refused',
      seconds: 0.05,
      unsent: 0,
    });
    expect(result.percentiles['100']).toBeCloseTo(2, 2);
    expect(phases).toEqual(['begin at 10', 'end at 60']);
  });

  it('tells of a server that stands at the end: how long, and what fails by it', async () => {
    const standing = (fails: boolean): Promise<LoopResult> => {
      const world = new Simulated();
      return runLoop({
        ...world.options(() => 0),
        workers: 4,
        warmUpMs: 10,
        durationMs: 50,
        request: async () => {
          await world.wait(world.nowMs < 30 ? 2 : 200);
          if (fails && world.nowMs > 60) throw new Error('too late');
        },
      });
    };
    const answered = await standing(false);
    // Of those that were sent at 8, and end at 10, the latency is not that of a request that was measured.
    expect(answered).toMatchObject({ requests: 44, failures: 0 });
    expect(answered.percentiles['100']).toBeCloseTo(200, -1);
    expect(answered.percentiles['90']).toBeCloseTo(2, 1);
    expect(await standing(true)).toMatchObject({ requests: 44, failures: 4, failure: 'too late' });
  });
});

describe('an open loop', () => {
  it('sends by the clock, whatever became of those before', async () => {
    const world = new Simulated();
    const result = await runLoop({
      ...world.options(() => 25),
      workers: 10,
      warmUpMs: 0,
      durationMs: 100,
      perSecond: 100,
    });
    expect(world.sentAt).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    // The last two end after the end: they have a latency, but do not count as done in the time.
    expect(result).toMatchObject({ requests: 8, failures: 0, unsent: 0 });
    expect(result.percentiles['50']).toBeCloseTo(25, 1);
  });

  it('counts a latency from when the request was due, not from when somebody was free to send it', async () => {
    const world = new Simulated();
    const result = await runLoop({
      // The server stands for the first half second, then answers in 1 ms.
      ...world.options(() => Math.max(1, 500 - world.nowMs)),
      workers: 2,
      warmUpMs: 0,
      durationMs: 1_000,
      perSecond: 100,
    });
    expect(result.requests).toBe(100);
    expect(result.percentiles['100']).toBeCloseTo(500, 0);
    // A quarter of all waited for more than 250 ms. Counted from the sending it would be two of them.
    expect(result.percentiles['75']).toBeGreaterThan(240);
    expect(result.percentiles['75']).toBeLessThan(290);
    expect(result.percentiles['50']).toBeLessThan(30);
    expect(result.lagMs).toBeLessThan(1);
  });

  it('says how many it could not send', async () => {
    const world = new Simulated();
    const result = await runLoop({
      ...world.options(() => 20),
      workers: 1,
      warmUpMs: 0,
      durationMs: 200,
      perSecond: 1_000,
      graceMs: 40,
    });
    // It sends at 0, 20, ... 240.
    expect(result).toMatchObject({ requests: 10, unsent: 187 });
  });

  it('leaves out what was due in the warm-up, but counts it as done when it ends later', async () => {
    const world = new Simulated();
    const result = await runLoop({
      ...world.options((n) => (n === 0 ? 150 : 1)),
      workers: 2,
      warmUpMs: 100,
      durationMs: 100,
      perSecond: 10,
    });
    expect(result.requests).toBe(2);
    expect(result.percentiles['100']).toBeCloseTo(1, 1);
  });
});

describe('Latencies', () => {
  it('has every percentile to three figures', () => {
    const latencies = new Latencies();
    for (let ms = 1; ms <= 10_000; ms += 1) latencies.record(ms);
    const { 50: p50, '99.9': p999, 100: most } = latencies.percentiles();
    expect(Math.abs(p50 / 5_000 - 1)).toBeLessThan(0.001);
    expect(Math.abs(p999 / 9_990 - 1)).toBeLessThan(0.001);
    expect(Math.abs(most / 10_000 - 1)).toBeLessThan(0.001);
    expect(new Latencies().at(50)).toBeNaN();
  });
});
