/**
 * What a file of scenarios begins with: the operator installed, and the cluster of this run as all scenarios expect it. Files run
 * one after the other, in the order of their names, on one cluster: a start takes longer than most scenarios.
 */
import { afterAll, beforeAll, describe } from '@jest/globals';
import { KubernetesApi } from './api.js';
import { ClusterUnderTest, type SpecChange } from './cluster-under-test.js';
import { environment } from './environment.js';
import { installOperator, untilOperatorReady } from './operator-installation.js';

const GIVEN_MS = 700_000;

export interface Given {
  /** Merged into what the cluster is asked to be. */
  readonly spec?: SpecChange;
  /** Absent: that of the run. */
  readonly namespace?: string;
  /** Whether the file itself asks for the cluster: in its first scenario. */
  readonly isAbsent?: boolean;
}

/** Registers the scenarios; they reach the cluster through the function they are given. */
export function onKubernetes(
  name: string,
  given: Given,
  scenarios: (of: () => ClusterUnderTest) => void,
): void {
  describe(name, () => {
    let cluster: ClusterUnderTest;
    beforeAll(async () => {
      const api = KubernetesApi.fromEnvironment();
      const namespace = given.namespace ?? environment.namespace;
      cluster = new ClusterUnderTest(api, namespace);
      await installOperator(api);
      if (given.isAbsent !== true) await cluster.begin(given.spec);
    }, GIVEN_MS);
    afterAll(async () => {
      const { api, namespace } = cluster;
      if (namespace !== environment.namespace) await removeNamespace(api, namespace);
      await untilOperatorReady(api);
    }, GIVEN_MS);
    scenarios(() => cluster);
  });
}

export async function removeNamespace(api: KubernetesApi, name: string): Promise<void> {
  await api.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}
