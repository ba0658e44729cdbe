import { natsPasswordFile } from '@ringleader/server-processes';
import { join } from 'node:path';

export type Service = 'gateway' | 'shard' | 'failure-detector' | 'coordinator' | 'postgres' | 'nats-server';

type MemberService = Exclude<Service, 'postgres' | 'nats-server'>;

/** One Node process of the cluster: which, and with what environment. */
export interface ServicePlan {
  readonly service: Service;
  readonly member: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

/** The name of a cluster on this machine. */
export const CLUSTER = 'local';

export interface ClusterPlan {
  readonly natsUrl: string;
  /** Of the passwords that services identify themselves with: a file for each. */
  readonly natsPasswordFolder: string;
  /** By shard, from the first. */
  readonly postgresUrls: readonly string[];
  readonly dataFolder: string;
  readonly coordinators: number;
  readonly initialShards: number;
  /** Whether the coordinators' empty logs are those of a new cluster. */
  readonly isNew: boolean;
  readonly gatewayPorts: readonly number[];
  /** Loopback ports for probes, as many as `probePortsNeeded` says. */
  readonly probePorts: readonly number[];
}

export const FAILURE_DETECTORS = 3;

interface Counts {
  readonly coordinators: number;
  readonly shards: number;
  readonly gateways: number;
}

export function probePortsNeeded({ coordinators, shards, gateways }: Counts): number {
  return coordinators + shards + gateways + FAILURE_DETECTORS;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

/** The environment of every process; what the variables mean stands in each app's `*.config.ts`. */
export function planServices(plan: ClusterPlan): ServicePlan[] {
  const probes = plan.probePorts[Symbol.iterator]();
  const common = (service: MemberService, member: string) => ({
    RINGLEADER_CLUSTER: CLUSTER,
    RINGLEADER_NATS_URL: plan.natsUrl,
    RINGLEADER_NATS_USER: service,
    RINGLEADER_NATS_PASSWORD_FILE: natsPasswordFile(plan.natsPasswordFolder, service),
    RINGLEADER_MEMBER: member,
  });
  const probed = (service: MemberService, index: number, env: Record<string, string>): ServicePlan => {
    const port = probes.next().value ?? 0;
    const member = `${service}-${index}`;
    return {
      service,
      member,
      port,
      env: { ...common(service, member), RINGLEADER_PROBE_PORT: String(port), ...env },
    };
  };
  return [
    ...numbers(plan.coordinators).map((index) =>
      probed('coordinator', index, {
        RINGLEADER_COORDINATOR_ID: String(index),
        RINGLEADER_COORDINATOR_COUNT: String(plan.coordinators),
        RINGLEADER_DATA_DIR: join(plan.dataFolder, `coordinator-${index}`),
        RINGLEADER_INITIAL_SHARDS: String(plan.initialShards),
        ...(plan.isNew ? { RINGLEADER_BOOTSTRAP: 'new-cluster' } : {}),
      }),
    ),
    ...plan.postgresUrls.map((url, i) => probed('shard', i + 1, { RINGLEADER_POSTGRES_URL: url })),
    ...plan.gatewayPorts.map((port, i) => ({
      ...probed('gateway', i + 1, { RINGLEADER_HTTP_HOST: '127.0.0.1', RINGLEADER_HTTP_PORT: String(port) }),
      port,
    })),
    ...numbers(FAILURE_DETECTORS).map((index) => probed('failure-detector', index, {})),
  ];
}
