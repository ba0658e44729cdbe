import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { OperationalError, type PartitionEntry } from '@ringleader/contracts';
import type { CoordinatorRequest } from '@ringleader/coordination';
import type { EstimateBytes, MoveReport } from '@ringleader/paxos';
import { MoveReporter } from './move-reporter.js';

type Said = CoordinatorRequest<'reportMoves'>;

const entry = (change: Partial<PartitionEntry> = {}): PartitionEntry => ({
  partition: 5,
  epoch: 2,
  replicas: [1, 2, 3],
  nextReplicas: null,
  learners: [4],
  preferredLeader: 1,
  ...change,
});

const report = (caughtUp: boolean): MoveReport => ({
  partition: 5,
  epoch: 2,
  ballot: 65_537,
  ready: false,
  learners: [{ ordinal: 4, caughtUp, bytesDone: 10, bytesTotal: 10 }],
});

describe('MoveReporter', () => {
  let said: Said[];
  let answer: () => Promise<Record<string, never>>;
  let moves: (estimate: EstimateBytes) => MoveReport[];
  let reporter: MoveReporter;

  beforeEach(() => {
    jest.useFakeTimers();
    said = [];
    answer = () => Promise.resolve({});
    moves = () => [report(false)];
    reporter = new MoveReporter({
      client: {
        ask: (_operation, request) => {
          said.push(request);
          return answer();
        },
      },
      logger: { debug: () => undefined },
      monotonicMs: () => performance.now(),
    });
    reporter.follow({
      ordinal: 1,
      incarnation: 7,
      driver: { moves: (estimate = () => 0) => moves(estimate), quietMs: 7, status: () => [] },
      storage: { rowsBytes: () => Promise.resolve(4_000) },
    });
  });

  afterEach(() => {
    reporter.follow(null);
    jest.useRealTimers();
  });

  it('says nothing, and looks for nothing, while no replicas are exchanged', async () => {
    moves = () => {
      throw new Error('not to be asked');
    };
    reporter.learn([entry({ learners: [] })]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(said).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('says all of it four times a second, and stops with the last move', async () => {
    reporter.learn([entry()]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(said.length).toBe(4);
    expect(said[0]).toEqual({ ordinal: 1, incarnation: 7, reports: [report(false)], quietMs: 7 });
    reporter.learn([entry({ epoch: 3, learners: [] })]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(said.length).toBe(4);
  });

  it('says how quiet it is here now and then while others lead what moves', async () => {
    moves = () => [];
    reporter.learn([entry()]);
    await jest.advanceTimersByTimeAsync(100);
    expect(said).toEqual([{ ordinal: 1, incarnation: 7, reports: [], quietMs: 7 }]);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(said.length).toBe(3);
    moves = () => [report(false)];
    await jest.advanceTimersByTimeAsync(100);
    expect(said.length).toBe(4);
  });

  it('says a change at once', async () => {
    reporter.learn([entry()]);
    await jest.advanceTimersByTimeAsync(50);
    moves = () => [report(true)];
    await jest.advanceTimersByTimeAsync(50);
    expect(said.map(({ reports }) => reports[0]?.learners[0]?.caughtUp)).toEqual([false, true]);
  });

  it('waits for the answer, and then says what is so by then', async () => {
    const slow = Promise.withResolvers<Record<string, never>>();
    answer = () => slow.promise;
    reporter.learn([entry()]);
    await jest.advanceTimersByTimeAsync(100);
    moves = () => [report(true)];
    await jest.advanceTimersByTimeAsync(2_000);
    expect(said.length).toBe(1);
    slow.resolve({});
    await jest.advanceTimersByTimeAsync(50);
    expect(said.map(({ reports }) => reports[0]?.learners[0]?.caughtUp)).toEqual([false, true]);
  });

  it('says again what nobody took, but not all the time', async () => {
    answer = () => Promise.reject(new OperationalError('UNAVAILABLE', 'no leader', {}));
    reporter.learn([entry()]);
    await jest.advanceTimersByTimeAsync(1_020);
    expect(said.length).toBeGreaterThanOrEqual(8);
    expect(said.length).toBeLessThanOrEqual(11);
  });

  it('estimates what a partition has from the size of the table', async () => {
    const estimates: number[] = [];
    moves = (estimate) => {
      estimates.push(estimate(5));
      return [report(false)];
    };
    reporter.learn([entry()]);
    await jest.advanceTimersByTimeAsync(500);
    expect(estimates.at(-1)).toBe(4_000);
  });
});
