export { BALANCER_STRATEGIES, createBalancer, type Balancer, type BalancerStrategy } from './balancer.js';
export type { Candidate, CandidateId } from './candidate.js';
