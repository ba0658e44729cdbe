export type { LinkState, LinkTarget } from '@ringleader/tool-local-cluster';
export { LocalClusterHandle, startLocalCluster, type LocalClusterOptions } from './local-cluster.js';
export { processTree } from '@ringleader/server-processes';
export { readClusterState } from '@ringleader/tool-local-cluster';
