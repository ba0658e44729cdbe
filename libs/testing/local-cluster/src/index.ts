export type { LinkState, LinkTarget } from './links.js';
export { LocalClusterHandle, startLocalCluster, type LocalClusterOptions } from './local-cluster.js';
export { processTree } from './process-tree.js';
export { readClusterState } from '@ringleader/tool-local-cluster';
