export type { LocalClusterState, LocalProcess, MemberAction, StarterPlace } from '@ringleader/contracts';
export { gatewayFetch } from './gateway-fetch.js';
export { clusterHealth } from './health.js';
export { LINK_STATES, Links, type LinkState, type LinkTarget } from './links.js';
export { askStarter, type ShardRequest } from './control.js';
export { runStarter } from './starter.js';
export { accessOf, type GatewayAccess } from './security.js';
export type { ClusterOptions, ServicePlan } from './services.js';
export { readClusterState } from './state-file.js';
