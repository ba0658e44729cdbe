/** Members that owe their store's clients something (`data-rules.ts`), and do not give it. */
import type { Branches, Command, KeyRange, MvccStore, RangeOutcome } from '@ringleader/mvcc';
import type { Control } from '../controls.js';
import { changing } from '../profiles/changing.js';
import { leaseHandOvers, leaseNamesakes } from '../profiles/lease-hand-overs.js';
import type { RangeToRead } from './data-rules.js';

const profile = changing;
const rules = {};

export const dataControls: readonly Control[] = [
  {
    name: 'CompareAtPropose',
    broken: "a transaction's comparisons are evaluated where it is proposed, not where it is applied",
    rules,
    dataRules: { toPropose: decidedNow },
    caughtBy: 'whole transactions',
    profile,
  },
  {
    name: 'TornRange',
    broken: 'a range is read in two parts, and something happens between them',
    rules,
    dataRules: { read: inTwoParts },
    caughtBy: 'whole reads',
    profile,
  },
  {
    name: 'CompactionTakesItself',
    broken: 'a compaction forgets the revision that it names, too',
    rules,
    dataRules: { compactedTo: (revision, newest) => (revision < newest ? revision + 1 : revision) },
    caughtBy: 'whole reads',
    profile,
  },
  {
    name: 'ExpiryOfDeposed',
    broken: 'a lease ends because somebody saw it run out who has been deposed since',
    rules,
    dataRules: { mayExpire: () => true },
    caughtBy: 'leases',
    profile: leaseHandOvers,
  },
  {
    name: 'ExpiryOfNamesake',
    broken: 'a lease ends because another one that had its wanted id has run out',
    rules,
    dataRules: { seenAsOf: () => Number.MAX_SAFE_INTEGER },
    caughtBy: 'leases',
    profile: leaseNamesakes,
  },
  {
    name: 'WatchSkipsCompacted',
    broken: 'a watch goes on behind a compaction, and does not say that it left something out',
    rules,
    dataRules: { isWatchable: () => true },
    caughtBy: 'watch: reliable',
    profile,
  },
  {
    name: 'WatchRepeats',
    broken: 'a watch that is resumed within a revision begins it again',
    rules,
    dataRules: { resumedAt: ({ revision }) => ({ revision, skip: 0 }) },
    caughtBy: 'watch: unique',
    profile,
  },
  {
    name: 'FollowersOutliveRestore',
    broken: 'whoever follows a store goes on behind a snapshot without what happened up to it',
    rules,
    dataRules: { looksBackAfterRestore: () => false },
    caughtBy: 'watch: reliable',
    profile,
  },
  {
    name: 'GapUnseen',
    broken: 'a follower goes on behind a frame that has not come',
    rules,
    dataRules: { waitsForMissing: () => false },
    caughtBy: 'watch: reliable',
    profile,
  },
  {
    name: 'ProgressUnsynced',
    broken: 'a watcher is told how far the store is before it has been given all',
    rules,
    dataRules: { mayTellProgress: () => true },
    caughtBy: 'watch: bookmarkable',
    profile,
  },
];

function decidedNow(command: Command, store: MvccStore): Command {
  if (command.kind !== 'txn') return command;
  const compared: Branches = { compare: command.compare, success: [], failure: [] };
  const outcome = store.evaluate({ kind: 'txn', ...compared });
  const branch = outcome.kind === 'txn' && outcome.succeeded ? command.success : command.failure;
  return { kind: 'txn', compare: [], success: branch, failure: [] };
}

const inTheMiddle = 'h5';

function inTwoParts({ query, readNow, later, done }: RangeToRead): void {
  const { key, rangeEnd } = query;
  const isPlain = query.revision === 0 && query.limit === 0 && query.sortBy === 'key' && !query.isDescending;
  const isAround = rangeEnd !== null && key < inTheMiddle && (rangeEnd === '' || rangeEnd > inTheMiddle);
  if (!isPlain || !isAround) {
    done(readNow(query));
    return;
  }
  const part = (range: KeyRange): RangeOutcome => readNow({ ...query, ...range });
  const first = part({ key, rangeEnd: inTheMiddle });
  later(() => {
    const second = part({ key: inTheMiddle, rangeEnd });
    if (first.kind !== 'range' || second.kind !== 'range') return;
    const items = [...first.items, ...second.items];
    done({ ...second, items, count: first.count + second.count });
  });
}
