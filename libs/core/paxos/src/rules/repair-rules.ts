import type { Ballot, HybridTime, Revision } from '@ringleader/primitives';
import { comparePositions, samePosition } from '../ballot.js';
import type { PartitionRecord, Position, Staging } from '../records.js';

/** docs/PROTOCOL.md 4.3. */
export interface RepairRules {
  /** 4.3.1: rows up to the base are the source's own. Control: BaseFromOthers (uses `heard`). */
  repairBase(own: { position: Position; commit: Revision; heard: Revision }, leader: Ballot): Revision;
  /** 4.3.2: a repair needs every tombstone past the base. Control: PurgeByPosition (uses `ownRevision`). */
  sourceStillHas(base: Revision, sourcePurgedTo: Revision, ownRevision: Revision): boolean;
  /** 4.3.2: the own keys past the base, whose rows may never have been chosen. Control: NoUndo. */
  keysToUndo(keys: readonly string[]): readonly string[];
  /** 4.3.2; and only forward: a leader's own rows may lag behind a follower's. Control: LateDiff. */
  deltaApplies(own: Position, from: Position, to: Position): boolean;
  /** 4.3.2. Control: InstallWithoutCommit. */
  commitAfterInstall(own: Revision, told: Revision): Revision;
  /** 4.3.3: into which generation pages go. Control: LivePages. */
  pageGeneration(record: PartitionRecord, staging: Staging): number;
  /** 4.3.4. Control: CopyFromDeposed. */
  pageFromPresentLeader(ballot: Ballot, staging: Staging): boolean;
  /** 4.3.4. Control: CopyForgetsPurge. */
  purgePointOfCopy(staged: Revision, source: Revision): Revision;
  /** 4.3.4. Control: CopyForgetsFloor. */
  floorOfCopy(staged: HybridTime, source: HybridTime): HybridTime;
  /** 4.12.6: does a replica give up a copy that it does not need? Control: KeepsIdleCopy. */
  dropsIdleCopy(): boolean;
  /** 4.3.4: must the copy begin anew? Control: PurgeDuringCopy. */
  purgedPastBase(sourcePurgedTo: Revision, base: Revision): boolean;
  /** 4.3.5: the base while a later pass runs. Control: PassMovesBaseEarly. */
  baseDuringPass(base: Revision, nextBase: Revision): Revision;
}

export const REPAIR_RULES: RepairRules = {
  repairBase: (own, leader) => (own.position.ballot === leader ? own.position.revision : own.commit),
  sourceStillHas: (base, sourcePurgedTo) => base >= sourcePurgedTo,
  keysToUndo: (keys) => keys,
  deltaApplies: (own, from, to) => samePosition(own, from) && comparePositions(to, own) > 0,
  commitAfterInstall: Math.max,
  pageGeneration: (_record, staging) => staging.generation,
  pageFromPresentLeader: (ballot, staging) => ballot >= staging.ballot,
  purgePointOfCopy: Math.max,
  floorOfCopy: Math.max,
  purgedPastBase: (sourcePurgedTo, base) => sourcePurgedTo > base,
  dropsIdleCopy: () => true,
  baseDuringPass: (base) => base,
};
