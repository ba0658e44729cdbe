export {
  FailureDetector,
  type FailureDetectorOptions,
  type MemberAssessment,
  type ProbeOrder,
  type ProbeReport,
} from './failure-detector.js';
export type { Assessment, Beat, Hearsay, MemberState } from './member-monitor.js';
export { phi, type IntervalStatistics } from './phi.js';
export type { ProbeOutcome, ProbeResult } from './probing.js';
export { DETECTOR_DEFAULTS, type DetectorSettings } from './settings.js';
export {
  VerdictTally,
  quorumOf,
  type Ballot,
  type CountedBallot,
  type Judgement,
  type Vote,
} from './tally.js';
export { VOTE_COUNTS_MS, VOTE_INTERVAL_MS, Voter, type DueVote } from './voter.js';
