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
