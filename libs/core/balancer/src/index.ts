export {
  BALANCER_STRATEGIES,
  createBalancer,
  type Balancer,
  type BalancerIngredients,
  type BalancerStrategy,
} from './balancer.js';
export type { Asked, Candidate, CandidateId } from './candidate.js';
export { SLOW_START_DEFAULT, SlowStart, type SlowStartOptions } from './slow-start.js';
export { TargetLoads } from './target-loads.js';
