export {
  PARTITION_COUNT_MAX,
  PARTITION_COUNT_MIN,
  hashTag,
  isArcCount,
  isPartitionCount,
  partitionOf,
  partitionStart,
} from './partition.js';
export {
  HashRing,
  VIRTUAL_NODES_PER_WEIGHT,
  buildRing,
  pointsOf,
  type RingMember,
  type RingPoint,
} from './ring.js';
export { xxh64 } from './xxh64.js';
