export { compareMaps, type LeaderChange, type MapDifference, type ReplicaMove } from './moves.js';
export {
  EPSILON_DEFAULT,
  computeMap,
  type CurrentMap,
  type PartitionPlacement,
  type PlacementRequest,
  type PlacementResult,
  type PlacementShard,
} from './placement.js';
export {
  reportBalance,
  reportMovement,
  type BalanceReport,
  type Evenness,
  type MovementReport,
  type ShardLoad,
} from './report.js';
