/**
 * Runs that find a bug of docs/BUGS.md again as soon as its guard is gone. A seed holds only as long as nobody changes what
 * a run draws, so each goes with the control that takes the guard away: that one must be caught at the seed, or soon after.
 */
export interface PinnedSeed {
  /** As in docs/BUGS.md. */
  readonly bug: string;
  readonly control: string;
  readonly seed: number;
}

export const PINNED: readonly PinnedSeed[] = [
  { bug: 'an acknowledged write given up by a follower', control: 'BackwardDiff', seed: 1 },
  { bug: 'too young an age after a suspension', control: 'StampsOutliveStop', seed: 1 },
  { bug: 'short suspensions that were not added up', control: 'ShortStops', seed: 1 },
  { bug: 'a suspension that the lease does not allow for', control: 'LongStops', seed: 1 },
  { bug: 'an acknowledgement of what was removed again', control: 'AcknowledgesUndone', seed: 1 },
  { bug: 'a repeated PUT carried out a second time, its id gone', control: 'RepeatIsNew', seed: 21 },
  { bug: 'a repeated PUT carried out a second time, unseen', control: 'NoKeyedMemory', seed: 1 },
  { bug: 'a stale scan with rows that were never chosen', control: 'StaleScanUnsettled', seed: 1 },
  { bug: 'tombstones of expired rows past the back-pressure', control: 'ExpiryPassesBackPressure', seed: 1 },
  { bug: 'a copy that lost the dedupe floor of its first source', control: 'CopyForgetsFloor', seed: 1 },
  { bug: 'a copy that nobody needs, kept for ever', control: 'KeepsIdleCopy', seed: 1 },
  { bug: 'leaders that are none, protected for ever', control: 'StatesNothing', seed: 1 },
  { bug: 'a replica not repaired for a clock that is behind', control: 'LeapNeverBelieved', seed: 1 },
  { bug: 'an acknowledgement that was never said', control: 'DeafToDenial', seed: 1 },
  { bug: 'a repeat after a refusal that fell off the memory', control: 'FailFloorByOrigin', seed: 1 },
  { bug: 'a repeat refused from the memory of a gateway', control: 'GatewayRepeatsFailure', seed: 1 },
];
