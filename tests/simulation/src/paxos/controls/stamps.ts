import type { Control } from './control.js';
import { DEAF_FOLLOWER, FORMER_LEADER, LATE_POINTS } from '../profiles/stamps.js';

/** docs/PROTOCOL.md 4.5.3: what one stamp of a pair of shards vouches for. */
export const STAMP_CONTROLS: readonly Control[] = [
  {
    name: 'StampOutrunsPoints',
    broken: 'commit points that were sent count as heard, and a stamp vouches for them',
    rules: { pointsKnown: (_heard, sent) => sent, stampCounts: () => true },
    profile: DEAF_FOLLOWER,
    caughtBy: 'staleness',
  },
  {
    name: 'FreshAfterStepDown',
    broken: 'a stamp vouches for a partition that its sender no longer leads',
    rules: { freshAfterStepDown: () => true },
    profile: FORMER_LEADER,
    caughtBy: 'staleness',
  },
  {
    name: 'StampUnreached',
    broken: 'a stamp vouches for a commit point that the replica has not reached',
    rules: { pointReached: () => true },
    profile: DEAF_FOLLOWER,
    caughtBy: 'staleness',
  },
  {
    name: 'ForgettingKeepsStamp',
    broken:
      'who begins to hear anew after late messages believes what it hears vouched for by the last stamp',
    rules: { stampOutlivesForgetting: () => true },
    profile: LATE_POINTS,
    caughtBy: 'staleness',
  },
];
