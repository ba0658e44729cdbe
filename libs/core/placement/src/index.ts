export { compareMaps, type LeaderChange, type MapDifference, type ReplicaMove } from './moves.js';
export { EPSILON_DEFAULT, computeMap } from './placement.js';
export type {
  CurrentMap,
  PartitionPlacement,
  PlacementRequest,
  PlacementResult,
  PlacementShard,
} from './request.js';
export {
  reportBalance,
  reportMovement,
  type BalanceReport,
  type Evenness,
  type MovementReport,
  type ShardLoad,
} from './report.js';
export * from './planner/cluster-state.js';
export { type Changes, applyChanges } from './planner/changes.js';
export {
  type Command,
  type CommandDecision,
  REFUSAL_FIELDS,
  type Refusal,
  type RefusalCode,
  decideCommand,
} from './planner/commands.js';
export {
  type RecoveredPartition,
  type Recovery,
  type RecoveryDone,
  type RecoveryRequest,
  decideRecovery,
} from './planner/recovery.js';
export { type Exchange, replicated } from './planner/replicated.js';
export { type MoveReason } from './planner/exchange.js';
export {
  type Look,
  type LoopOptions,
  type Pace,
  PlacementLoop,
  type ShardReport,
  type Work,
} from './planner/loop.js';
export {
  type MoveOverview,
  type Overview,
  type PlanOverview,
  type ShardOverview,
  describe,
} from './planner/overview.js';
export type { PlaceChange, PlacesDecision } from './planner/places.js';
export { type MoveUnderWay, type Plan, Planner, type WantedMove } from './planner/planner.js';
export { type LearnerReport, MoveReports, type PartitionReport, type Progress } from './planner/reports.js';
export { PLANNER_RULES, type PlannerRules } from './planner/rules.js';
export { type Decisions, type Step } from './planner/steps.js';
