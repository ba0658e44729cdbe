import { KubeConfig } from '@kubernetes/client-node';
import { Module, type DynamicModule } from '@nestjs/common';
import { Registry } from '@ringleader/observability';
import { FatalErrors, Health, HostSigns, ServiceLogger } from '@ringleader/service-host';
import { Election } from './kubernetes/election.js';
import { Kubernetes, fenceOf } from './kubernetes/fence.js';
import { KubeApi } from './kubernetes/kube-api.js';
import { KubeHttp } from './kubernetes/kube-http.js';
import { OwnLease } from './kubernetes/lease-clock.js';
import { OperatorConfig } from './operator.config.js';
import { OperatorMetrics } from './operator-metrics.js';
import { OperatorService } from './operator.service.js';

/** Of the Lease, by which one of the operator's processes is the leader. */
const LEASE_NAME = 'ringleader-operator';
/** An attempt that hangs leaves time for another one. */
const LEASE_TIMEOUT_MS = 4_000;

export interface AppParts {
  readonly config: OperatorConfig;
  readonly logger: ServiceLogger;
  readonly health: Health;
  readonly fatal: FatalErrors;
  readonly metrics: Registry;
}

@Module({})
export class AppModule {
  static of({ config, logger, health, fatal, metrics }: AppParts): DynamicModule {
    const kubeConfig = new KubeConfig();
    // KUBECONFIG, or the home folder's, or the pod's own account.
    kubeConfig.loadFromDefault();
    const own = new OwnLease();
    const leaseApi = new KubeApi(new KubeHttp(kubeConfig, { timeoutMs: LEASE_TIMEOUT_MS }));
    const { POD_NAMESPACE: namespace, RINGLEADER_MEMBER: identity } = config;
    const api = new KubeApi(new KubeHttp(kubeConfig, { beforeWrite: fenceOf(own) }));
    const election = new Election({ api: leaseApi, namespace, name: LEASE_NAME, identity, own, logger });
    return {
      module: AppModule,
      providers: [
        { provide: OperatorConfig, useValue: config },
        { provide: HostSigns, useValue: { logger, health, fatal } satisfies HostSigns },
        { provide: Registry, useValue: metrics },
        { provide: Kubernetes, useValue: { api, election } satisfies Kubernetes },
        OperatorMetrics,
        OperatorService,
      ],
    };
  }
}
