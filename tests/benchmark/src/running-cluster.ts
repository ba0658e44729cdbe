/**
 * The local cluster that the benchmark is pointed at, found by the state file that `npm start` keeps.
 */
import { readClusterState } from '@ringleader/tool-local-cluster';

export interface RunningProcess {
  readonly service: string;
  readonly member: string;
  readonly pid: number;
}

export interface RunningCluster {
  readonly gatewayUrls: readonly string[];
  processes(): Promise<readonly RunningProcess[]>;
}

export async function findCluster(folder: string): Promise<RunningCluster> {
  const state = await readClusterState(folder);
  if (state.status !== 'healthy')
    throw new Error(`The cluster in ${folder} is ${state.status}: wait until it is healthy.`);
  return {
    gatewayUrls: state.gatewayUrls,
    processes: async () => {
      const { processes } = await readClusterState(folder);
      return processes.flatMap(({ service, member, pid }) =>
        pid === null ? [] : [{ service, member, pid }],
      );
    },
  };
}
