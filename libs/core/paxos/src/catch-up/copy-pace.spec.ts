import { describe, expect, it } from '@jest/globals';
import { assignment, P, put, write } from '../../test/cluster-client.js';
import { LIMITS, MemoryCluster, TIMINGS } from '../../test/memory-cluster.js';
import { CopyPace } from './copy-pace.js';

const MIB = 1 << 20;

/** Copies that always want the next page, of which each takes the storage `readMs`. */
class Copies {
  now = 0;
  bytes = 0;
  pages = 0;
  largest = 0;
  longestPauseMs = 0;
  wants = true;
  private lastAt = 0;
  private reads: { endsAt: number; bytesMax: number; startedAt: number }[] = [];

  constructor(
    readonly pace: CopyPace,
    private readonly copies: number,
    public readMs = 4,
  ) {
    this.want();
  }

  want(): void {
    this.wants = true;
    for (let index = 0; index < this.copies; index += 1) this.ask();
  }

  run(ms: number, each: (now: number) => void = () => undefined): void {
    for (const end = this.now + ms; this.now < end; this.now += 1) {
      each(this.now);
      for (const read of this.reads.filter(({ endsAt }) => endsAt <= this.now)) {
        const { bytesMax, startedAt } = read;
        this.reads = this.reads.filter((other) => other !== read);
        this.bytes += bytesMax;
        this.pages += 1;
        this.largest = Math.max(this.largest, bytesMax);
        this.pace.ended({ bytesMax, bytes: bytesMax, tookMs: this.now - startedAt }, this.now);
        if (this.wants) this.ask();
      }
      this.pace.start(this.now);
    }
  }

  private ask(): void {
    this.pace.add((bytesMax) => {
      this.longestPauseMs = Math.max(this.longestPauseMs, this.now - this.lastAt);
      this.lastAt = this.now;
      this.reads.push({ bytesMax, startedAt: this.now, endsAt: this.now + this.readMs });
    });
  }
}

function copies(bytesPerSecond: number | null, count = 4, readMs = 4): Copies {
  const pace = new CopyPace(0, MIB);
  if (bytesPerSecond !== null) pace.setRate(bytesPerSecond, 0);
  return new Copies(pace, count, readMs);
}

/** Users ask all the time, and heartbeats come late. */
class BesideUsers {
  pages = 0;
  bytes = 0;
  largest = 0;

  constructor(private readonly rig: Copies) {}

  get pace(): CopyPace {
    return this.rig.pace;
  }

  get longestPauseMs(): number {
    return this.rig.longestPauseMs;
  }

  run(ms: number, lateMs: number): void {
    this.rig.run(ms, (now) => {
      this.pace.sawUsers(now);
      if (now % TIMINGS.heartbeatIntervalMs === 0) this.pace.beat(lateMs, now);
    });
  }

  measure(ms: number, lateMs: number): void {
    const { bytes, pages } = this.rig;
    this.rig.largest = 0;
    this.run(ms, lateMs);
    this.bytes = this.rig.bytes - bytes;
    this.pages = this.rig.pages - pages;
    this.largest = this.rig.largest;
  }

  /** Nothing is to be copied. */
  pause(ms: number): void {
    this.rig.wants = false;
    this.run(ms, 0.5);
    this.rig.want();
  }
}

function besideUsers(readMs: number, count = 4): BesideUsers {
  return new BesideUsers(copies(1_000 * MIB, count, readMs));
}

describe('CopyPace', () => {
  it.each([65_536, MIB, 32 * MIB])('keeps to %i bytes per second', (rate) => {
    const rig = copies(rate);
    rig.run(20_000);
    expect(rig.bytes / 20 / rate).toBeGreaterThan(0.9);
    expect(rig.bytes / 20 / rate).toBeLessThan(1.1);
  });

  it('knows no bound unless it is told one', () => {
    const rig = copies(null);
    rig.run(1_000);
    expect(rig.bytes).toBeGreaterThan(900 * MIB);
  });

  it('takes another rate at once', () => {
    const rig = copies(MIB);
    rig.run(2_000);
    rig.pace.setRate(16 * MIB, rig.now);
    const before = rig.bytes;
    rig.run(2_000);
    expect((rig.bytes - before) / (32 * MIB)).toBeCloseTo(1, 0);
    rig.pace.setRate(MIB, rig.now);
    const slower = rig.bytes;
    rig.run(4_000);
    expect((rig.bytes - slower) / (4 * MIB)).toBeLessThan(1.3);
  });

  it('reckons with what a page had, not with what it may have had', () => {
    const pace = new CopyPace(0, MIB);
    pace.setRate(MIB, 0);
    let pages = 0;
    for (let now = 0; now < 1_000; now += 1) {
      pace.add((bytesMax) => {
        pages += 1;
        pace.ended({ bytesMax, bytes: 1_024, tookMs: 0 }, now);
      });
      pace.start(now);
    }
    expect(pages).toBe(1_000);
  });

  it('gives way to users: small pages, one by one, for a share of the storage’s time', () => {
    const alone = copies(1_000 * MIB, 4, 10);
    alone.run(1_000);
    expect(alone.largest).toBe(MIB);
    const beside = besideUsers(10);
    beside.run(10_000, 0.5);
    beside.measure(1_000, 0.5);
    expect(beside.largest).toBeLessThanOrEqual(MIB / 8);
    // 10 ms of the storage, and three times that for users.
    expect(beside.pages).toBeGreaterThan(20);
    expect(beside.pages).toBeLessThan(27);
  });

  it('gives way further, in smaller pages, where this process gets to run late; and takes it back when it does not', () => {
    const rig = besideUsers(4);
    rig.run(10_000, 1);
    rig.measure(5_000, 1);
    const calm = { bytes: rig.bytes, pages: rig.pages };
    rig.run(10_000, 5);
    rig.measure(5_000, 5);
    expect(rig.bytes / calm.bytes).toBeLessThan(1 / 20);
    // 4 ms, and twenty-four times that in place of three times.
    expect(rig.pages / calm.pages).toBeCloseTo(16 / 100, 2);
    expect(rig.largest).toBe(MIB / 32);
    rig.run(10_000, 1);
    rig.measure(5_000, 1);
    expect(rig.bytes / calm.bytes).toBeCloseTo(1, 1);
  });

  it('gives way by degrees', () => {
    const bytes = [1, 1.5, 2, 3].map((lateMs) => {
      const rig = besideUsers(4);
      rig.run(20_000, lateMs);
      rig.measure(5_000, lateMs);
      return rig.bytes;
    });
    for (let index = 1; index < bytes.length; index += 1) {
      expect(bytes[index]).toBeLessThan(0.8 * (bytes[index - 1] as number));
    }
  });

  it('knows since when users have not waited here on a crowded machine', () => {
    const rig = besideUsers(4);
    rig.run(30_000, 0.9);
    rig.pace.beat(60_000, 30_000);
    rig.run(10_000, 0.9);
    expect(rig.pace.quietMs(40_000)).toBe(null);
    rig.run(30_000, 2);
    expect(rig.pace.quietMs(70_000)).toBeLessThan(1_000);
    rig.run(60_000, 0.5);
    const quietMs = rig.pace.quietMs(130_000) ?? 0;
    expect(quietMs).toBeGreaterThan(30_000);
    rig.run(1_000.5, 0.5);
    expect(rig.pace.quietMs(131_000.5)).toBe(quietMs + 1_000);
    // Late, and nobody there.
    for (let now = 132_000; now < 190_000; now += 100) rig.pace.beat(5, now);
    expect(rig.pace.quietMs(190_000)).toBe(quietMs + 60_000);
  });

  it('takes one late heartbeat, however late, for what it is', () => {
    const rig = besideUsers(4);
    rig.run(10_000, 0.5);
    rig.pace.beat(60_000, 10_000);
    rig.run(4_000, 0.5);
    rig.measure(1_000, 0.5);
    expect(rig.largest).toBe(MIB / 8);
  });

  it('begins as on a crowded machine, whenever there was nothing to copy for a while', () => {
    const rig = besideUsers(4);
    rig.measure(300, 0.5);
    expect(rig.largest).toBeLessThan(MIB / 16);
    rig.run(10_000, 0.5);
    rig.pause(60_000);
    rig.measure(300, 0.5);
    expect(rig.largest).toBeLessThan(MIB / 16);
  });

  it.each([700_001, 1_000_003, 1e9])(
    'asks for whole bytes at %d a second, however late this process is',
    (rate) => {
      const pace = new CopyPace(0, MIB);
      pace.setRate(rate, 0);
      const asked: number[] = [];
      for (let now = 0; now < 10_000; now += 100) {
        if (now > 1_000) pace.sawUsers(now);
        pace.beat(now / 4_000, now);
        asked.push(pace.pageBytes(now));
      }
      expect(new Set(asked).size).toBeGreaterThan(2);
      expect(asked.filter((bytes) => !Number.isInteger(bytes))).toEqual([]);
    },
  );

  it.each([0.5, 50])(
    'never starves a copy, however slow users have made the storage (late by %d ms)',
    (late) => {
      const rig = besideUsers(2_000, 1);
      rig.measure(30_000, late);
      expect(rig.longestPauseMs).toBeLessThan(2_200);
      expect(rig.bytes).toBeGreaterThan(10 * 32_768);
    },
  );

  it('goes back to full pages when the users have gone', () => {
    const rig = copies(1_000 * MIB);
    rig.run(500, (now) => rig.pace.sawUsers(now));
    rig.run(1_000);
    expect(rig.largest).toBe(MIB);
  });
});

describe('copies of a partition', () => {
  const ROWS = 400;
  const ROW_BYTES = 1_000;
  const PAGE_ROWS = 20;

  function started(rows = ROWS): MemoryCluster {
    const cluster = new MemoryCluster([1, 2, 3, 4], { ...LIMITS, repairRowsMax: PAGE_ROWS });
    cluster.learn([assignment()]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    for (let index = 0; index < rows; index += 1) write(cluster, `k${index}`, 'v'.repeat(ROW_BYTES));
    cluster.run(1_000);
    return cluster;
  }

  function isCaughtUp(cluster: MemoryCluster): boolean {
    const leader = cluster.leaderOf(P);
    return leader !== 0 && cluster.shard(leader).moves()[0]?.learners[0]?.caughtUp === true;
  }

  function copyMs(bytesPerSecond: number, rows = ROWS): number {
    const cluster = started(rows);
    for (const shard of [1, 2, 3]) cluster.shard(shard).setCopyRate(bytesPerSecond, cluster.now);
    cluster.learn([assignment({ epoch: 2, learners: [4] })]);
    return cluster.until(() => isCaughtUp(cluster), 90_000);
  }

  it('come at the rate that was set', () => {
    const rate = 100_000;
    expect(copyMs(rate)).toBeGreaterThan(((ROWS * ROW_BYTES) / rate - 0.5) * 1_000);
    expect(copyMs(1e9)).toBeLessThan(1_000);
  });

  it('come at a rate of which an eighth is no whole number', () => {
    expect(copyMs(700_001)).toBeLessThan(5_000);
  });

  it('end though each page comes when whoever asked for it has given up', () => {
    const bytesPerSecond = 2_000;
    const pageMs = ((PAGE_ROWS * ROW_BYTES) / bytesPerSecond) * 1_000;
    expect(pageMs).toBeGreaterThan(20 * TIMINGS.candidacyTimeoutMs);
    expect(copyMs(bytesPerSecond, 3 * PAGE_ROWS)).toBeLessThan(5 * pageMs);
  });

  it('end while users write all the time', () => {
    const cluster = started();
    cluster.learn([assignment({ epoch: 2, learners: [4] })]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    let turns = 0;
    cluster.until(() => {
      turns += 1;
      if (turns % 10 === 0) put(cluster, `k${turns % ROWS}`, 'w', { epoch: 2 });
      return isCaughtUp(cluster);
    }, 30_000);
    expect(cluster.storage(4).liveRows(P).size).toBe(ROWS);
  });

  it('to a newcomer are no one repair while users write, though it would fit', () => {
    const sizes = [false, true].map((users) => {
      const cluster = new MemoryCluster([1, 2, 3, 4]);
      cluster.learn([assignment()]);
      cluster.until(() => cluster.leaderOf(P) !== 0);
      for (let index = 0; index < ROWS; index += 1) write(cluster, `k${index}`, 'v'.repeat(ROW_BYTES));
      cluster.run(1_000);
      let largest = 0;
      cluster.changesMessage = (_from, message) => {
        if ('rows' in message) largest = Math.max(largest, message.rows.length * ROW_BYTES);
        return message;
      };
      cluster.learn([assignment({ epoch: 2, learners: [4] })]);
      cluster.until(() => {
        if (users && cluster.leaderOf(P) !== 0) put(cluster, 'k0', 'w', { epoch: 2 });
        return isCaughtUp(cluster);
      });
      return largest;
    });
    expect(sizes[0]).toBe(ROWS * ROW_BYTES);
    expect(sizes[1]).toBeLessThanOrEqual(131_072);
  });
});
