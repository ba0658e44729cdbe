import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { VERIFICATION_KEY, type Verification, type VerifiedPartition } from '@ringleader/contracts';
import { FakeCoordinator } from '@ringleader/coordination/testing';
import { createLogger } from '@ringleader/observability';
import type { VerificationRun } from '@ringleader/paxos';
import { until } from '@ringleader/testing-servers';
import { VerificationFollower } from './verification-follower.js';

const WAIT = { timeoutMs: 5_000, everyMs: 5 };
const DONE: VerifiedPartition = { partition: 3, complete: true, rows: 5, differed: 0, mended: 0 };

class Driver {
  readonly runs: (string | null)[] = [];
  done: readonly VerifiedPartition[] = [];
  /** Null: the last one that was begun. */
  doneFor: string | null = null;

  verify(run: string | null): void {
    this.runs.push(run);
  }

  looks = 0;

  verified(): VerificationRun {
    this.looks += 1;
    return { run: this.doneFor ?? this.runs.at(-1) ?? null, partitions: this.done };
  }
}

describe('a verification on demand at a shard', () => {
  let coordinator: FakeCoordinator;
  let follower: VerificationFollower;
  let driver: Driver;
  const reports: unknown[] = [];

  beforeEach(() => {
    coordinator = new FakeCoordinator();
    reports.length = 0;
    coordinator.ask = (operation, request) => {
      reports.push([operation, request]);
      return Promise.resolve({}) as Promise<never>;
    };
    follower = new VerificationFollower(
      coordinator,
      createLogger({ level: 'silent', service: 'shard', member: 'shard-1' }),
    );
    driver = new Driver();
    follower.start();
  });
  afterEach(() => follower.stop());

  const put = (id: string, endedAt: string | null): void => {
    const startedAt = '2026-01-01T00:00:00.000Z';
    const counts = { partitionsTotal: 16, partitionsDone: 0, incomplete: 0, rows: 0, differed: 0, mended: 0 };
    const verification: Verification = { id, startedAt, endedAt, ...counts };
    coordinator.put([VERIFICATION_KEY, JSON.stringify(verification)]);
  };

  it('is begun in each life, reported again and again, and ended', async () => {
    follower.follow(driver);
    put('v-1', null);
    await until('the beginning', () => driver.runs.at(-1) === 'v-1', WAIT);
    // What was done for an earlier one says nothing of this one.
    Object.assign(driver, { done: [{ ...DONE, partition: 9 }], doneFor: 'v-0' });
    await until('another look', () => driver.looks > 1, WAIT);
    Object.assign(driver, { done: [DONE], doneFor: null });
    await until('two reports', () => reports.length >= 2, WAIT);
    expect(reports[0]).toEqual(['reportVerification', { id: 'v-1', partitions: [DONE] }]);
    follower.follow(null);
    const next = new Driver();
    follower.follow(next);
    expect(next.runs).toEqual(['v-1']);
    put('v-1', '2026-01-01T00:00:01.000Z');
    await until('the end', () => next.runs.at(-1) === null, WAIT);
  });

  it('of before is not begun again', async () => {
    put('v-1', '2026-01-01T00:00:01.000Z');
    put('v-2', '2026-01-01T00:00:01.000Z');
    follower.follow(driver);
    await until('the mirror', () => driver.runs.length > 0, WAIT);
    expect(new Set(driver.runs)).toEqual(new Set([null]));
  });

  it('goes on where what the coordinators say cannot be read, which counts', async () => {
    follower.follow(driver);
    put('first', null);
    await until('it to begin', () => driver.runs.at(-1) === 'first', WAIT);
    coordinator.put([VERIFICATION_KEY, 'of another version']);
    await until('it to count', () => follower.unreadable === 1, WAIT);
    expect(driver.runs.at(-1)).toBe('first');
    put('second', null);
    await until('the next one', () => driver.runs.at(-1) === 'second', WAIT);
    expect(follower.unreadable).toBe(0);
  });
});
