/**
 * The local cluster that the benchmark is pointed at, found by the state file that `npm start` keeps.
 */
import { StartError } from '@ringleader/server-processes';
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
  const state = await readClusterState(folder).catch((cause: unknown) => {
    throw new StartError(`No cluster of npm start has its data in ${folder}: name its folder with --data.`, {
      cause,
    });
  });
  if (state.status !== 'healthy')
    throw new StartError(`The cluster in ${folder} is ${state.status}: wait until it is healthy.`);
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
