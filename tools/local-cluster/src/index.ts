export { clusterHealth } from './health.js';
export { runStarter } from './starter.js';
export type { ClusterOptions, ServicePlan } from './services.js';
export { readClusterState, type ClusterState, type ProcessState } from './state-file.js';
