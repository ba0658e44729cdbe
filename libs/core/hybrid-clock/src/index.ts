export {
  HYBRID_TIME_ZERO,
  mergeHybridTime,
  nextHybridTime,
  packHybridTime,
  receiveHybridTime,
  unpackHybridTime,
  type HybridTimeParts,
  type Merged,
  type Received,
} from './hybrid-clock.js';
