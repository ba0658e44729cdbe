export { LocalClusterHandle, startLocalCluster, type LocalClusterOptions } from './local-cluster-handle.js';
export { readClusterState, type ClusterState, type ProcessState } from './state-file.js';
export type { LinkState, LinkTarget } from './links.js';
export type { Service } from './services.js';
