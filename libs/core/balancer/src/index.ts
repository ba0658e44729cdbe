export {
  BALANCER_STRATEGIES,
  createBalancer,
  type Balancer,
  type BalancerStrategy,
  type Candidate,
  type CandidateId,
} from './balancer.js';
