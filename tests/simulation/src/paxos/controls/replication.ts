import { comparePositions } from '@ringleader/paxos';
import type { Control } from './control.js';
import { CHURN, SLOW_LEADER, SLOW_READS } from '../profiles/churn.js';
import { LATE_ANSWERS } from '../profiles/late-answers.js';
import { LATE_OFFERS } from '../profiles/late-offers.js';
import { COPIES } from '../profiles/copies.js';
import { PURGED_EARLY, PURGED_WRITES } from '../profiles/purged.js';
import { PURGES } from '../profiles/purges.js';
import { DEPOSED_COPY, PURGED_AHEAD, RECOPIED } from '../profiles/recopied.js';
import { RANDOM } from '../profile.js';

/** docs/PROTOCOL.md 4.2, 4.3 and 4.6: accept, commit, repair, copy, purge. */
export const REPLICATION_CONTROLS: readonly Control[] = [
  {
    name: 'NoPositionCheck',
    broken: 'accept a batch whatever the own position is',
    rules: { batchFits: () => true },
    profile: CHURN,
    caughtBy: 'linearizability',
  },
  {
    name: 'PromiseNotChecked',
    broken: 'accept a batch of a lower ballot than promised',
    rules: { mayAccept: () => true },
    profile: CHURN,
    caughtBy: 'linearizability',
  },
  {
    name: 'AnswerCoversAll',
    broken: 'the answer to a message of many batches acknowledges those that were refused too',
    rules: { answerCovers: () => true },
    profile: RANDOM,
    caughtBy: 'acknowledged',
  },
  {
    name: 'AnswerOfOtherLife',
    broken:
      'the answer to a message of a former life acknowledges what the present one sent under that number',
    rules: { answersLife: () => true },
    profile: LATE_ANSWERS,
    caughtBy: 'acknowledged',
  },
  {
    name: 'AckBeforeOwnApply',
    broken: "commit counted without the leader's own durable apply, reads from its rows",
    rules: { ownLimit: (_ownDurable, sent) => sent },
    profile: SLOW_LEADER,
    caughtBy: 'linearizability',
  },
  {
    name: 'CommitAnyBallot',
    broken: 'a follower takes a commit point without having accepted at that ballot',
    rules: { takesCommit: () => true },
    profile: CHURN,
    caughtBy: 'stale read',
  },
  {
    name: 'NoUndo',
    broken: 'repair sends rows past the base but not the present rows of the own keys past it',
    rules: { keysToUndo: () => [] },
    profile: CHURN,
    caughtBy: 'linearizability',
  },
  {
    name: 'BaseFromOthers',
    broken: "diff base = greatest commit point heard of, not the replica's own",
    rules: { repairBase: (own) => Math.max(own.heard, own.commit) },
    profile: CHURN,
    caughtBy: 'linearizability',
  },
  {
    name: 'LateDiff',
    broken: 'a diff installs although the position it was made from is no longer there',
    rules: { deltaApplies: (_own, from, to) => comparePositions(to, from) > 0 },
    profile: LATE_OFFERS,
    caughtBy: 'linearizability',
  },
  {
    name: 'BackwardDiff',
    broken: 'a repair installs although it leads back behind the own position',
    rules: { deltaApplies: (own, from) => own.ballot === from.ballot && own.revision === from.revision },
    profile: LATE_OFFERS,
    caughtBy: 'linearizability',
  },
  {
    name: 'LivePages',
    broken: 'full copy in pages onto the live rows, position moved at the end',
    rules: { pageGeneration: (record) => record.generation },
    profile: COPIES,
    caughtBy: 'linearizability',
  },
  {
    name: 'CopyFromDeposed',
    broken: 'a copy takes a page from a leader older than the one before',
    rules: { pageFromPresentLeader: () => true },
    profile: DEPOSED_COPY,
    caughtBy: 'linearizability',
  },
  {
    name: 'PassMovesBaseEarly',
    broken: 'a later pass of a copy counts from its own start before it is through',
    rules: { baseDuringPass: (_base, nextBase) => nextBase },
    profile: COPIES,
    caughtBy: 'linearizability',
  },
  {
    name: 'InstallWithoutCommit',
    broken: 'a repair moves the purge point but not the commit bound',
    rules: { commitAfterInstall: (own) => own },
    profile: PURGES,
    caughtBy: 'invariant',
  },
  {
    name: 'PurgeDuringCopy',
    broken: "a copy finishes although the source has purged past the copy's base",
    rules: { purgedPastBase: () => false },
    profile: PURGES,
    caughtBy: 'linearizability',
  },
  {
    name: 'PurgeByPosition',
    broken: "a repair is decided by the replica's revision instead of its base",
    rules: { sourceStillHas: (_base, sourcePurgedTo, ownRevision) => ownRevision >= sourcePurgedTo },
    profile: PURGED_AHEAD,
    caughtBy: 'linearizability',
  },
  {
    name: 'CopyForgetsPurge',
    broken: "a copy resumed from another leader keeps only the last source's purge point",
    rules: { purgePointOfCopy: (_staged, source) => source },
    profile: RECOPIED,
    caughtBy: 'linearizability',
  },
  {
    name: 'CopyForgetsFloor',
    broken: "a copy resumed from another leader keeps only the last source's dedupe floor",
    rules: { floorOfCopy: (_staged, source) => source },
    profile: RECOPIED,
    caughtBy: 'applied once',
  },
  {
    name: 'PurgeUncommitted',
    broken: 'tombstones are purged past the commit point',
    rules: { purgeLimit: (_commit, lastRevision) => lastRevision },
    profile: PURGED_EARLY,
    caughtBy: 'linearizability',
  },
  {
    name: 'RevFromRows',
    broken: 'after a restart the revision is that of the greatest row there is: not of a purged tombstone',
    rules: {},
    readFromRows: 'revision',
    profile: PURGES,
    caughtBy: 'acknowledged',
  },
  {
    name: 'PosFromRows',
    broken: 'after a restart the position is the ballot and revision of the greatest row',
    rules: {},
    readFromRows: 'position',
    profile: SLOW_READS,
    caughtBy: 'acknowledged',
  },
  {
    name: 'NoPurgeFloor',
    broken: 'purging a tombstone forgets its requests',
    rules: { floorAfterPurge: (own) => own },
    profile: PURGED_WRITES,
    caughtBy: 'applied once',
  },
];
