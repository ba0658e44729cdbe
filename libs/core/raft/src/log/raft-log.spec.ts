import { describe, expect, it } from '@jest/globals';
import { type Prng, seededPrng } from '@ringleader/primitives';
import { type Entry, entryKinds } from '../types.js';
import { emptyConfiguration } from '../membership/configuration.js';
import { soundRules } from '../rules.js';
import { RaftLog } from './raft-log.js';

const entry = (index: number, term: number, bytes = 0): Entry => ({
  index,
  term,
  kind: entryKinds.command,
  data: new Uint8Array(bytes),
});
const range = (first: number, last: number, term: number): Entry[] =>
  Array.from({ length: last - first + 1 }, (_, i) => entry(first + i, term));
const newLog = (entries: Entry[] = [], commit = 0): RaftLog =>
  new RaftLog(
    { base: { index: 0, term: 0 }, configuration: emptyConfiguration, entries, commit },
    soundRules,
  );
const indexes = (entries: readonly Entry[]): number[] => entries.map(({ index }) => index);

describe('RaftLog', () => {
  it('hands out to write once, and again what was replaced', () => {
    const log = newLog();
    log.put(range(1, 5, 1));
    expect(indexes(log.takeToWrite())).toEqual([1, 2, 3, 4, 5]);
    expect(log.takeToWrite()).toEqual([]);
    log.put(range(4, 6, 2));
    // The first batch becomes durable: of what it had, 4 and 5 are of no value any more.
    log.markWritten(5, null);
    expect(log.written).toBe(3);
    expect(indexes(log.takeToWrite())).toEqual([4, 5, 6]);
    log.markWritten(6, null);
    expect(log.written).toBe(6);
  });

  it('applies only what is committed and written, in order, bounded by bytes, and nothing ahead', () => {
    const log = newLog();
    log.put([1, 2, 3, 4].map((index) => entry(index, 1, 100)));
    log.commitTo(3);
    expect(log.takeToApply(250)).toEqual([]);
    log.takeToWrite();
    log.markWritten(4, null);
    expect(indexes(log.takeToApply(250))).toEqual([1, 2]);
    expect(log.takeToApply(250)).toEqual([]);
    log.markApplied(2);
    expect(indexes(log.takeToApply(250))).toEqual([3]);
    log.markApplied(3);
    expect(log.takeToApply(250)).toEqual([]);
  });

  it('hands out one entry that is larger than the bound', () => {
    const log = newLog([entry(1, 1, 1_000)], 1);
    expect(indexes(log.takeToApply(10))).toEqual([1]);
    expect(indexes(log.entriesFrom(1, 10))).toEqual([1]);
  });

  it('never replaces what is committed, nor leaves a gap', () => {
    const log = newLog(range(1, 3, 1), 2);
    expect(() => log.put([entry(2, 2)])).toThrow('a committed entry would be replaced');
    expect(() => log.put([entry(5, 2)])).toThrow('a gap');
    expect(() => log.commitTo(4)).toThrow("past the log's end");
  });

  it('starts with what the disk has, and applies again from the snapshot on', () => {
    const log = new RaftLog(
      {
        base: { index: 10, term: 3 },
        configuration: emptyConfiguration,
        entries: range(11, 14, 4),
        commit: 12,
      },
      soundRules,
    );
    expect([log.firstIndex, log.lastIndex, log.commit, log.applied, log.written]).toEqual([
      11, 14, 12, 10, 14,
    ]);
    expect([log.termAt(9), log.termAt(10), log.termAt(11), log.termAt(15)]).toEqual([null, 3, 4, null]);
    expect(indexes(log.takeToApply(1_000_000))).toEqual([11, 12]);
    expect(log.takeToWrite()).toEqual([]);
  });

  it('takes the commit index from the disk only as far as there are entries', () => {
    expect(newLog(range(1, 3, 1), 9).commit).toBe(3);
    expect(
      new RaftLog(
        { base: { index: 5, term: 1 }, configuration: emptyConfiguration, entries: [], commit: 2 },
        soundRules,
      ).commit,
    ).toBe(5);
  });

  it('compacts what is applied, and refuses to more', () => {
    const log = newLog(range(1, 9, 2), 6);
    log.takeToApply(1_000_000);
    log.markApplied(6);
    log.compact({ index: 4, term: 2 });
    expect([log.firstIndex, log.lastIndex, log.termAt(4), log.termAt(3)]).toEqual([5, 9, 2, null]);
    log.compact({ index: 2, term: 2 });
    expect(log.firstIndex).toBe(5);
    expect(() => log.compact({ index: 7, term: 2 })).toThrow('compaction of what is not applied');
  });

  it('counts nothing as written after a snapshot came in, before that is on disk', () => {
    const log = newLog(range(1, 3, 1), 1);
    log.put(range(4, 5, 1));
    log.takeToWrite();
    const snapshot = { index: 20, term: 5, configuration: emptyConfiguration, chunks: [] };
    log.restore(snapshot, emptyConfiguration);
    log.put(range(21, 22, 5));
    log.commitTo(22);
    // The batch from before.
    log.markWritten(5, null);
    expect(log.written).toBe(0);
    expect(log.takeToApply(1_000_000)).toEqual([]);
    expect(indexes(log.takeToWrite())).toEqual([21, 22]);
    log.markWritten(22, snapshot);
    expect(log.written).toBe(22);
    expect(log.takeToApply(1_000_000)).toEqual([]);
    log.markApplied(20);
    expect(indexes(log.takeToApply(1_000_000))).toEqual([21, 22]);
  });
});

/** Two logs that share a prefix, with terms that do not fall. */
function randomLogs(random: Prng): { leader: RaftLog; follower: RaftLog; shared: number } {
  const shared = random.nextBelow(8);
  const prefix: Entry[] = [];
  let term = 1;
  for (let index = 1; index <= shared; index += 1) {
    term += random.nextBelow(2);
    prefix.push(entry(index, term));
  }
  // Odd terms for one, even ones for the other: beyond the prefix they never agree.
  const grow = (parity: number): Entry[] => {
    const entries = [...prefix];
    let next = term + 1 + ((term + 1 + parity) % 2);
    for (let count = random.nextBelow(8); count > 0; count -= 1) {
      entries.push(entry(entries.length + 1, next));
      next += 2 * random.nextBelow(3);
    }
    return entries;
  };
  return { leader: newLog(grow(0)), follower: newLog(grow(1)), shared };
}

describe('conflict hints', () => {
  it('never skip the point where two logs match, and find it within one round per term', () => {
    for (let seed = 0; seed < 2_000; seed += 1) {
      const { leader, follower, shared } = randomLogs(seededPrng(seed));
      const terms = new Set(
        [...leader.entriesFrom(1, Infinity), ...follower.entriesFrom(1, Infinity)].map((e) => e.term),
      );
      let prev = leader.lastIndex;
      let rounds = 0;
      while (follower.termAt(prev) !== leader.termAt(prev)) {
        const hint = follower.newestAtMost(prev, leader.termAt(prev)!);
        const fitting = leader.newestAtMost(hint.index, hint.term).index;
        expect(fitting).toBeGreaterThanOrEqual(Math.min(shared, prev));
        prev = Math.min(prev - 1, fitting);
        rounds += 1;
      }
      expect(prev).toBe(Math.min(shared, leader.lastIndex));
      expect(rounds).toBeLessThanOrEqual(terms.size + 1);
    }
  });
});
