export {
  AHEAD_MS_MAX,
  HYBRID_CLOCKS_DIFFER_MS_MAX,
  HYBRID_TIME_ZERO,
  mergeHybridTime,
  nextHybridTime,
  packHybridTime,
  receiveHybridTime,
  unpackHybridTime,
  WALL_CLOCKS_DIFFER_MS_MAX,
  type HybridTimeParts,
  type Merged,
  type Received,
} from './hybrid-clock.js';
export { GatewayClock } from './gateway-clock.js';
export { HybridClock } from './process-clock.js';
